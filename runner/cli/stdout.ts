let waiting = false;

/**
 * Writes to standard output. Lines of one turn of the event loop go into a pipe in one system call: with fifty hosts that
 * answer at once a line each was a call each, and woke whoever reads as often. A terminal gets every line at once.
 */
export function writeOut(text: string): void {
  const { stdout } = process;
  if (!waiting && stdout.isTTY !== true) {
    waiting = true;
    stdout.cork();
    setImmediate(flush);
  }
  stdout.write(text);
}

function flush(): void {
  if (!waiting) return;
  waiting = false;
  process.stdout.uncork();
}

// Whatever ends the process: no line is lost.
process.once('exit', flush);
