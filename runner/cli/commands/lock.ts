import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, ReeveError } from '../../errors.ts';
import { EXPIRY_SECONDS, heldBy } from '../../execute/held-lock.ts';
import { breakLock, listLocks, runOfHolder } from '../../execute/lock.ts';
import type { RunState } from '../../execute/run-state.ts';
import { isRunning } from '../../journal/run-lock.ts';
import { idleRun } from '../idle-run.ts';
import { text } from '../options.ts';
import { runsFolder } from '../record.ts';
import { UsageError } from '../report-error.ts';
import { watchSignals } from '../signals.ts';

/** `reeve lock list [@HOST]`, `reeve lock break NAME[@HOST]`. */
export async function lock(
  action: string,
  name: string | undefined,
  options: Record<string, unknown>,
): Promise<number> {
  if (action !== 'list' && action !== 'break') throw new UsageError(`lock ${action}: it can be list or break`);
  if (action === 'break' && name === undefined) throw new UsageError('lock break needs the name of the lock');
  if (action === 'list' && name !== undefined && !/^@./.test(name)) {
    throw new UsageError(`lock list ${name}: it takes @HOST, or nothing for the locks in the cluster`);
  }
  const run = await idleRun('lock', options, 1);
  const unwatch = watchSignals(run.interrupt, () => {});
  run.interrupt.onPress((count) => count === 1 && run.interrupt.press());
  try {
    return action === 'list' ? await list(run, name?.slice(1), options) : await free(run, name!);
  } finally {
    unwatch();
    await run.clusters.close();
    await run.connections.close();
  }
}

async function list(run: RunState, host: string | undefined, options: Record<string, unknown>): Promise<number> {
  const runs = runsFolder(text(options.runs, '--runs'));
  const found = [...(await listLocks(run, host))].map(([name, { holder, since }]) => ({
    ...{ name, holder, since },
    ...aliveness(runs, holder),
  }));
  if (options.json === true) console.log(JSON.stringify(found, undefined, 2));
  else if (found.length === 0) console.log(`no lock is held ${host === undefined ? 'in the cluster' : `on ${host}`}`);
  else for (const one of found) console.log(`${one.name}: ${heldBy({ ...one, mark: '' })}${wayOn(one)}`);
  return EXIT.done;
}

/** Whether the run that holds a lock is alive; nothing for one that is not recorded here. */
function aliveness(runs: string, holder: string): { alive?: boolean } {
  const id = runOfHolder(holder);
  if (id === undefined || !existsSync(join(runs, id))) return {};
  return { alive: isRunning(join(runs, id)) };
}

function wayOn({ holder, alive }: { holder: string; alive?: boolean }): string {
  if (alive !== false) return '';
  return `; its process is gone: \`reeve status ${runOfHolder(holder)}\` says how that run goes on, another run takes the lock over after ${EXPIRY_SECONDS} s`;
}

async function free(run: RunState, name: string): Promise<number> {
  const found = await breakLock(run, name);
  if (!found) throw new ReeveError('lock-free', `nobody has the lock ${name}`, { exitCode: EXIT.refused });
  console.log(
    `${name} is free; it was held by ${heldBy(found)}. If that run is alive it stops before its next effect.`,
  );
  return EXIT.done;
}
