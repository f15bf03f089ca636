/** Keeps one processor busy until its input ends, with which whoever started it does; never longer than three hours. */
const SLICE = 50;
const LONGEST = 3 * 3600 * 1000;

const begun = performance.now();
process.stdin.on('end', () => process.exit(0)).resume();

function work(): void {
  for (const end = performance.now() + SLICE; performance.now() < end; );
  if (performance.now() - begun > LONGEST) process.exit(0);
  setImmediate(work);
}
work();
