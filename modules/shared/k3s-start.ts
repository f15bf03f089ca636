/** Restarting k3s and watching it come up, with the failures that its journal tells apart. */
import { type ReadTarget, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { spoken } from './duration.ts';
import { type K3sBackup, restoreScript } from './k3s-files.ts';
import { quote } from './quote.ts';
import { steady } from './steady.ts';
import { downtimeSeconds, journalTail, type Watched, watchUnit } from './unit-watch.ts';
import { isUp, systemdShow, type UnitState } from './units.ts';

/** Lines of the journal after which waiting longer is of no use, from k3s' own messages. */
const FATAL_LINES: { pattern: RegExp; code: string; message: string; hint: string }[] = [
  {
    pattern:
      /token CA hash does not match|failed to validate token|encrypted with different token|not authorized.*token/i,
    code: 'token-mismatch',
    message: 'its token is not the one of the cluster',
    hint: 'compare the sha256 of the token here with that of server/token in the data directory of a server; reinstalling a server with another token is not repaired by this tool',
  },
  {
    pattern: /node password rejected/i,
    code: 'node-password-rejected',
    message: 'the cluster has another password stored under this node name',
    hint: 'if this machine replaces the old one of that name: delete the node and the secret NODE.node-password.k3s in kube-system, then run again',
  },
];

export interface StartOptions {
  unit: string;
  /** The unit's state before. */
  before: UnitState | undefined;
  /** milliseconds */
  timeout: number;
}

/** Reloads systemd, restarts without blocking and watches. Gives the seconds the unit was down. */
export async function restartUnit(target: WriteTarget, options: StartOptions): Promise<number> {
  const name = quote(`${options.unit}.service`);
  const asked = await steady(target).run(`{ systemctl daemon-reload && systemctl restart --no-block ${name}; } 2>&1`);
  if (asked.code !== 0) {
    throw new TaskFailure(`${options.unit}: systemctl restart failed: ${asked.stdout.trim()}`, {
      code: 'service-failed',
    });
  }
  return downtimeSeconds(await watchStart(target, options), options.before);
}

/**
 * Waits until the unit runs anew.
 * Throws TaskFailure `token-mismatch`, `node-password-rejected` or `start-failed` with the end of the journal.
 */
async function watchStart(target: ReadTarget, options: StartOptions): Promise<Watched> {
  const { unit, before, timeout } = options;
  let restarts = 0;
  const watched = await watchUnit(target, `${unit}.service`, {
    until: 'up',
    timeout: Math.min(timeout, target.remaining()),
    ...(before?.invocation ? { since: before.invocation } : {}),
    async inspect(state) {
      // What the process from before left in the journal is no news.
      if (before?.invocation && state.invocation === before.invocation) return;
      if (state.restarts <= restarts && state.active !== 'failed') return;
      restarts = state.restarts;
      throwOnFatalLine(unit, await journalTail(target, unit, 15));
    },
  });
  const { state, settled, elapsed } = watched;
  if (settled && isUp(state)) return watched;
  const journal = await journalTail(target, unit);
  throwOnFatalLine(unit, journal);
  const what = settled ? `is ${state.active}` : `is still ${state.active} after ${spoken(elapsed)}`;
  throw new TaskFailure(`${unit} ${what}${journal ? `; the end of its journal:\n${journal}` : ''}`, {
    code: 'start-failed',
    hint: 'a restart of k3s waits for ever where the cluster does not answer; the pods of the node run on meanwhile',
    facts: { active: state.active },
  });
}

function throwOnFatalLine(unit: string, journal: string): void {
  for (const { pattern, code, message, hint } of FATAL_LINES) {
    if (pattern.test(journal)) {
      throw new TaskFailure(`${unit} cannot start: ${message}\n${journal}`, { code, hint });
    }
  }
}

/** milliseconds for putting the previous files back when there is no copy. */
const RESTORE_LIMIT = 120_000;

export interface SqliteCopy {
  /** Directory of the copy on the target: `db/` and `token`. */
  path: string;
  sha256: string;
}

/**
 * Stops the unit, copies the SQLite database and the token, and starts the unit. All of it is one detached job, so that
 * a lost connection cannot leave k3s stopped. When the copy fails, or is not done in time, the previous files come back
 * before the start.
 */
export async function restartWithCopy(
  target: WriteTarget,
  options: StartOptions & { dataDir: string; copyDir: string; backup: K3sBackup },
): Promise<{ downtime: number; copy: SqliteCopy }> {
  // The script keeps the time itself, since it must start k3s again; the job's limit is for a script that hangs.
  const half = target.remaining() / 2;
  const limit = Math.min(options.timeout, half);
  const result = await target.job({
    name: 'k3s-sqlite',
    script: sqliteScript({ ...options, limit }),
    timeout: limit + Math.min(RESTORE_LIMIT, half),
  });
  const hash = /^state\.db ([0-9a-f]{64})$/m.exec(result.stdout)?.[1];
  const watched = await watchStart(target, options);
  if (result.code !== 0 || hash === undefined) {
    const why = `${result.stdout}${result.stderr}`.trim();
    throw new TaskFailure(`the SQLite database could not be copied; k3s runs again as before: ${why}`, {
      code: 'sqlite-copy-failed',
      hint: `is there room in ${options.copyDir}?`,
    });
  }
  return { downtime: downtimeSeconds(watched, options.before), copy: { path: options.copyDir, sha256: hash } };
}

interface CopyOptions extends StartOptions {
  dataDir: string;
  copyDir: string;
  backup: K3sBackup;
  /** milliseconds for stopping and copying */
  limit: number;
}

function sqliteScript(options: CopyOptions): string {
  const unit = `${options.unit}.service`;
  const copy = quote(options.copyDir);
  const seconds = Math.ceil(options.limit / 1000);
  return `
umask 077
data=${quote(options.dataDir)}
code=0
end=$(($(date +%s) + ${seconds}))
late() { [ "$(date +%s)" -ge $end ]; }
pause() { sleep 0.1 2>/dev/null || sleep 1; }
timed() {
  "$@" &
  child=$!
  while kill -0 $child 2>/dev/null; do
    late && { kill $child 2>/dev/null; wait $child; echo "not done after ${seconds} s"; return 1; }
    pause
  done
  wait $child
}
copy() {
  rm -rf ${copy}.part && mkdir -p ${copy}.part && timed cp -Rp "$data/server/db" ${copy}.part/db || return 1
  [ ! -f "$data/server/token" ] || cp -p "$data/server/token" ${copy}.part/token || return 1
  [ -s ${copy}.part/db/state.db ] && timed cmp -s "$data/server/db/state.db" ${copy}.part/db/state.db || return 1
  rm -rf ${copy} && mv ${copy}.part ${copy} && timed hash
}
hash() { echo "state.db $(sha256sum ${copy}/db/state.db | sed 's/ .*//')"; }
back() {
${restoreScript(options.backup)}
}
start() {
  trap '' HUP INT TERM
  [ $code = 0 ] || { rm -rf ${copy}.part; back; }
  systemctl start --no-block ${quote(unit)} || code=1
}
# Whoever ends this script must not leave k3s stopped.
trap 'code=143; start; exit 143' HUP INT TERM
systemctl daemon-reload
systemctl stop --no-block ${quote(unit)} || exit 1
until case $(${systemdShow(unit)}) in *ActiveState=inactive* | *ActiveState=failed*) ;; *) false ;; esac; do
  late && { echo "${options.unit} did not stop in ${seconds} s"; code=1; break; }
  pause
done
[ $code != 0 ] || copy || code=1
start
exit $code`;
}
