/** The first line of a message, without the announcement of what its other lines quote: `…; the end of its journal:`. */
export function firstLine(message: string): string {
  return message.split('\n', 1)[0]!.replace(/(; [^;]*)?:\s*$/, '');
}

/** The last line of k3s' own log that says what it died of (logrus: `level=fatal msg="…"`). */
export function lastWords(lines: readonly string[]): string | undefined {
  const line =
    lines.findLast((one) => /\blevel=fatal\b/.test(one)) ?? lines.findLast((one) => /\blevel=error\b/.test(one));
  return line && (/\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line);
}

/** A message without the long quotation in it: its first line, and what the quoted log died of or ended with. */
export function inShort(message: string, most = 8): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  if (lines.length <= most) return lines.join('\n');
  const words = lastWords(lines);
  return [lines[0]!, `… ${lines.length - 2} more lines …`, words ?? lines.at(-1)!].join('\n');
}
