import { spawnSync } from 'node:child_process';
import type { ConnectionSpec } from '../../../../runner/connect/types.ts';

export interface TestShell {
  name: string;
  /** What goes into `spec.shell`. */
  command: string;
}

const WANTED: TestShell[] = [
  { name: 'dash', command: 'dash' },
  { name: 'bash', command: 'bash' },
  { name: 'busybox', command: 'busybox ash' },
];

/** The shells of this machine; what is missing is printed, so that a green run says what it did not see. */
export const shells: TestShell[] = WANTED.filter(({ name, command }) => {
  const [file = '', ...rest] = command.split(' ');
  const works = spawnSync(file, [...rest, '-c', 'exit 0']).status === 0;
  if (!works) console.log(`skipped: no ${name} on this machine`);
  return works;
});

export function localSpec(shell: string, extra: Partial<ConnectionSpec> = {}): ConnectionSpec {
  return { host: `local ${shell}`, transport: 'local', address: 'localhost', shell, ...extra };
}

/** Prints why tests are skipped, once, and says whether they are. */
export function skipped(reason: string | undefined): boolean {
  if (reason !== undefined) console.log(`skipped: ${reason}`);
  return reason !== undefined;
}
