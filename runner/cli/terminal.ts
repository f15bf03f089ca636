/** Whether a stream is a terminal that takes colours (https://no-color.org). */
export function wantsColor(stream: NodeJS.WriteStream): boolean {
  if (process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR && process.env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && process.env.TERM !== 'dumb';
}

/** Whether a person sits there: CI and dumb terminals get plain lines. */
export function isInteractive(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI;
}
