import { hostname, userInfo } from 'node:os';
import { EXIT, ReeveError } from '../errors.ts';
import { findUnknown } from '../language/unknown.ts';
import { withFacts } from './gather.ts';
import { plainScope } from './host-scope.ts';
import type { Lock } from './lease-lock.ts';
import { hostState, type RunState } from './run-state.ts';
import { CONTROL_HOST } from './where.ts';

/**
 * Takes the playbook's lock, so that one run at a time works on a cluster. Check mode writes nothing and takes none.
 * @throws ReeveError `locked`, exit code 6.
 */
export async function takeLock(run: RunState): Promise<Lock | undefined> {
  const { lock } = run.playbook;
  if (!lock || run.settings.check) return undefined;
  const scope = plainScope(run, hostState(run, CONTROL_HOST));
  const name = await withFacts(run, () => lock.render(scope));
  if (findUnknown(name) || typeof name !== 'string' || name === '') {
    throw new ReeveError('invalid-lock', 'the name of the lock is no text', { exitCode: EXIT.invalid });
  }
  let deadline = 0;
  const limits = {
    signal: run.interrupt.signal,
    remaining: () => Math.max(1, deadline - Date.now()),
    progress: (message: string) => void run.emitter.emit({ type: 'notice', level: 'info', message }),
  };
  const cluster = await run.clusters.writer(run, scope, limits);
  const { takeLease } = await import('./lease-lock.ts');
  return takeLease({
    name,
    holder: `run ${run.emitter.run} of ${userInfo().username}@${hostname()}`,
    cluster,
    signal: run.interrupt.signal,
    allow: (ms) => {
      deadline = Date.now() + ms;
    },
    onLost: (message) => {
      run.emitter.emit({ type: 'notice', level: 'error', message });
      run.interrupt.press();
    },
  });
}
