import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { LabHost, LabHosts } from '../../lab/hosts/types.ts';
import { runOnce } from './ssh-client.ts';

/** Asks again until it is so; the test's own time limit ends a wait for nothing. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await wait(5);
}

/** Fetches the install script as a control machine would, and runs it on the host with these variables and arguments. */
export async function install(lab: LabHosts, host: LabHost, scriptUrl: string, environment: string, args = '') {
  const script = await (await fetch(scriptUrl)).text();
  writeFileSync(join(host.root, 'tmp/i.sh'), script);
  return runOnce(lab, host, `env ${environment} sh "$TMPDIR/i.sh" ${args}`);
}
