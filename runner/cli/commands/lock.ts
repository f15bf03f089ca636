import { EXIT, ReeveError } from '../../errors.ts';
import { heldBy } from '../../execute/held-lock.ts';
import { breakLock, listLocks } from '../../execute/lock.ts';
import type { RunState } from '../../execute/run-state.ts';
import { idleRun } from '../idle-run.ts';
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
    return action === 'list' ? await list(run, name?.slice(1), options.json === true) : await free(run, name!);
  } finally {
    unwatch();
    await run.clusters.close();
    await run.connections.close();
  }
}

async function list(run: RunState, host: string | undefined, json: boolean): Promise<number> {
  const found = [...(await listLocks(run, host))].map(([name, { holder, since }]) => ({ name, holder, since }));
  if (json) console.log(JSON.stringify(found, undefined, 2));
  else if (found.length === 0) console.log(`no lock is held ${host === undefined ? 'in the cluster' : `on ${host}`}`);
  else for (const one of found) console.log(`${one.name}: ${heldBy({ ...one, mark: '' })}`);
  return EXIT.done;
}

async function free(run: RunState, name: string): Promise<number> {
  const found = await breakLock(run, name);
  if (!found) throw new ReeveError('lock-free', `nobody has the lock ${name}`, { exitCode: EXIT.refused });
  console.log(
    `${name} is free; it was held by ${heldBy(found)}. If that run is alive it stops before its next effect.`,
  );
  return EXIT.done;
}
