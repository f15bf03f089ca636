import { hostname, userInfo } from 'node:os';
import { EXIT, ReeveError } from '../errors.ts';
import { findUnknown } from '../language/unknown.ts';
import type { ClusterWriter } from '../module.ts';
import { withFacts } from './gather.ts';
import type { FoundLock, HoldOptions, Lock } from './held-lock.ts';
import { plainScope } from './host-scope.ts';
import type { Interrupt } from './interrupt.ts';
import { hostState, type RunState } from './run-state.ts';
import { CONTROL_HOST, runThere, specOf } from './where.ts';

/** Where the locks of a host lie when its variable `lock_dir` says nothing else: writable for every user, kept at a restart. */
const LOCK_DIR = '/var/tmp/reeve-locks';
/** milliseconds for one of the short scripts of a host's lock. */
const SCRIPT_TIMEOUT = 15_000;

/** `NAME` is a lock in the cluster, `NAME@HOST` one on a host; `NAME@localhost` one on the control machine. */
export interface LockName {
  text: string;
  name: string;
  host?: string;
}

/**
 * Takes the locks of a run, the playbook's and that of `--lock`, so that one run at a time works on what they stand for.
 * Check mode writes nothing and takes none. The run knows its locks from then on; {@link releaseLocks} gives them back.
 * @throws ReeveError `locked`, exit code 6; no lock is held then.
 */
export async function takeLocks(run: RunState): Promise<void> {
  if (run.settings.check) return;
  try {
    // In one order, so that two runs that wait never wait for each other.
    for (const text of [...new Set(await lockNames(run))].sort()) {
      run.locks.push(await takeOne(run, readLockName(text)));
      run.emitter.emit({ type: 'lock-taken', lock: text });
    }
  } catch (error) {
    await releaseLocks(run);
    throw error;
  }
}

/**
 * Gives the locks of a run back, the last one first; nothing when it has none any more. It comes before the record that a
 * run or rollback has ended: whoever finds that record need not ask what the process did after it.
 */
export async function releaseLocks(run: RunState): Promise<void> {
  for (const lock of run.locks.splice(0).reverse()) await lock.release();
}

async function lockNames(run: RunState): Promise<string[]> {
  const names = [...(run.settings.locks ?? [])];
  const { lock } = run.playbook;
  if (!lock) return names;
  const scope = plainScope(run, hostState(run, CONTROL_HOST));
  const name = await withFacts(run, () => lock.render(scope));
  if (findUnknown(name) || typeof name !== 'string' || name === '') {
    throw new ReeveError('invalid-lock', 'the name of the lock is no text', { exitCode: EXIT.invalid });
  }
  return [...names, name];
}

export function readLockName(text: string): LockName {
  const at = text.lastIndexOf('@');
  if (at < 0) return { text, name: text };
  const [name, host] = [text.slice(0, at), text.slice(at + 1)];
  if (name !== '' && host !== '') return { text, name, host };
  throw new ReeveError('invalid-lock', `${text} is no name of a lock`, {
    hint: 'NAME is a lock in the cluster, NAME@HOST one on that host, NAME@localhost one on this machine',
    exitCode: EXIT.invalid,
  });
}

async function takeOne(run: RunState, { text, name, host }: LockName): Promise<Lock> {
  const options: HoldOptions = {
    name: text,
    holder: holderName(run),
    signal: firstPress(run.interrupt),
    wait: run.settings.lockWait ?? 0,
    onWait: (message) => void run.emitter.emit({ type: 'notice', level: 'info', message }),
    onFree: () => void run.emitter.emit({ type: 'lock-released', lock: text }),
    onKept: (message, hint) => void run.emitter.emit({ type: 'notice', level: 'warning', message, hint }),
    onLost: (message) => {
      const hint = '`reeve resume` goes on with this run when the other one has ended';
      run.interrupt.halt(new ReeveError('lock-lost', message, { hint, exitCode: EXIT.refused }));
      run.emitter.emit({ type: 'notice', level: 'error', message, hint });
    },
  };
  if (host !== undefined) {
    const { takeHostLock } = await import('./host-lock.ts');
    return takeHostLock({ ...options, ...lockHost(run, host), lock: name });
  }
  const [{ takeLease }, { cluster, allow }] = await Promise.all([import('./lease-lock.ts'), lockCluster(run)]);
  return takeLease({ ...options, cluster, allow });
}

/** Aborts with the first Ctrl-C: a run that waits for a lock has no task to finish. */
function firstPress(interrupt: Interrupt): AbortSignal {
  const pressed = new AbortController();
  const stop = () => pressed.abort(new ReeveError('interrupted', 'interrupted', { exitCode: EXIT.interrupted }));
  if (interrupt.pressed) stop();
  else interrupt.onPress(stop);
  return pressed.signal;
}

/** Makes sure that the locks are still this run's; one that is not halts it. */
export async function confirmLocks(run: RunState): Promise<void> {
  for (const lock of run.locks) await lock.confirm();
}

function holderName(run: RunState): string {
  return `run ${run.emitter.run} of ${userInfo().username}@${hostname()}`;
}

/** The run that holds a lock, when it is one of this machine; undefined for others, and for a person. */
export function runOfHolder(holder: string): string | undefined {
  const [, run, host] = /^run ([\w-]+) of .*@(.*)$/.exec(holder) ?? [];
  return host === hostname() ? run : undefined;
}

/** How scripts run on the host of a lock, as the user that logs in there, and the folder of its locks. */
function lockHost(run: RunState, name: string) {
  if (name !== CONTROL_HOST && !run.inventory.hosts.has(name)) {
    throw new ReeveError('invalid-lock', `the lock is on ${name}, which is no host of the inventory`, {
      exitCode: EXIT.invalid,
    });
  }
  const host = hostState(run, name);
  const scope = plainScope(run, host);
  const spec = specOf(run, host);
  const { signal } = run.interrupt;
  return {
    dir: scope.has('lock_dir') ? String(scope.get('lock_dir')) : LOCK_DIR,
    run: (script: string) => {
      const deadline = Date.now() + SCRIPT_TIMEOUT;
      // A lock is given back also when everything else was aborted.
      const until = signal.aborted ? AbortSignal.timeout(SCRIPT_TIMEOUT / 3) : signal;
      return runThere(run, { host, spec, become: undefined, environment: {}, deadline, signal: until }, script);
    },
  };
}

async function lockCluster(run: RunState): Promise<{ cluster: ClusterWriter; allow: (ms: number) => void }> {
  let deadline = Date.now() + SCRIPT_TIMEOUT;
  const limits = {
    signal: run.interrupt.signal,
    remaining: () => Math.max(1, deadline - Date.now()),
    progress: (message: string) => void run.emitter.emit({ type: 'notice', level: 'info', message }),
  };
  const cluster = await run.clusters.writer(run, plainScope(run, hostState(run, CONTROL_HOST)), limits);
  return {
    cluster,
    allow: (ms) => {
      deadline = Date.now() + ms;
    },
  };
}

/** The locks of the cluster, or of one host. */
export async function listLocks(run: RunState, host: string | undefined): Promise<Map<string, FoundLock>> {
  if (host === undefined) return (await import('./lease-lock.ts')).listLeases((await lockCluster(run)).cluster);
  const { run: script, dir } = lockHost(run, host);
  return (await import('./host-lock.ts')).listHostLocks(script, dir);
}

/** Takes a lock away from whoever has it. Gives who had it; undefined when it was free. */
export async function breakLock(run: RunState, text: string): Promise<FoundLock | undefined> {
  const { name, host } = readLockName(text);
  if (host === undefined) return (await import('./lease-lock.ts')).breakLease((await lockCluster(run)).cluster, name);
  const holder = `reeve lock break, by ${userInfo().username}@${hostname()}`;
  return (await import('./host-lock.ts')).breakHostLock({ ...lockHost(run, host), lock: name, holder });
}
