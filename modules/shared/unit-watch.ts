/**
 * Watching a unit with a deadline. `systemctl restart` itself may never come back: k3s is Type=notify with
 * TimeoutStartSec=0. So everything is asked for with --no-block and then watched.
 */
import { type ReadTarget, ReeveError } from '../../runner/module.ts';
import { spoken } from './duration.ts';
import { quote } from './quote.ts';
import { parseUnitState, systemdShow, type UnitState, unitStateScript } from './units.ts';

/** Seconds that one request watches on the target before it answers: short enough to follow, long enough to be cheap. */
const SLICE = 4;
const STEPS_PER_SECOND = 5;

export interface WatchOptions {
  /** The invocation before a restart: the watch waits for another one. */
  since?: string;
  until: 'up' | 'down';
  /** milliseconds */
  timeout: number;
  /** Called with each state seen; throwing ends the watch. */
  inspect?: (state: UnitState) => void | Promise<void>;
}

export interface Watched {
  state: UnitState;
  /** False when the deadline came first. */
  settled: boolean;
  /** milliseconds on the control machine's clock */
  elapsed: number;
}

/** Watches until the unit is up (anew) or down, has failed, or the deadline comes. A lost connection is tried again. */
export async function watchUnit(target: ReadTarget, name: string, options: WatchOptions): Promise<Watched> {
  const start = performance.now();
  let state = parseUnitState('');
  let told = '';
  for (;;) {
    const left = options.timeout - (performance.now() - start);
    const seconds = Math.min(SLICE, Math.max(0, left / 1000));
    try {
      const answer = await target.read(sliceScript(name, options, seconds, state.manager), { timeout: 30_000 });
      state = parseUnitState(answer.stdout);
    } catch (error) {
      if (!(error instanceof ReeveError && error.code === 'unreachable') || left <= 0) throw error;
      target.progress(`${name}: connection lost, trying again`);
      await target.sleep(Math.min(1000, Math.max(0, left)));
      continue;
    }
    const elapsed = performance.now() - start;
    await options.inspect?.(state);
    if (isThere(state, options)) return { state, settled: true, elapsed };
    if (elapsed >= options.timeout) return { state, settled: false, elapsed };
    const now = `${name}: ${state.active}${state.sub ? ` (${state.sub})` : ''}`;
    if (now !== told) target.progress(`${now}, ${spoken(elapsed)}`);
    told = now;
  }
}

function isThere(state: UnitState, { since, until }: WatchOptions): boolean {
  if (state.jobPending) return false;
  if (until === 'down') return state.active === 'inactive' || state.active === 'failed';
  if (state.active === 'failed') return true;
  if (state.active === 'inactive') return state.type === 'oneshot' && state.invocation !== since;
  return state.active === 'active' && (since === undefined || since === '' || state.invocation !== since);
}

/** Looks several times a second on the target itself and answers when the state may be the wanted one. */
function sliceScript(name: string, options: WatchOptions, seconds: number, manager: UnitState['manager']): string {
  if (manager !== 'systemd') return `sleep 1\n${unitStateScript(name)}`;
  const done = options.until === 'down' ? '*ActiveState=inactive*|*ActiveState=failed*' : '*ActiveState=failed*';
  const up =
    options.until === 'up' ? `*ActiveState=active*) case $state in ${sameInvocation(options.since)} esac ;;` : '';
  return `
i=0
while :; do
  state=$(${systemdShow(name)} 2>/dev/null) || break
  case $state in *Job=[1-9]*) ;; ${done}) break ;; ${up} esac
  i=$((i + 1))
  [ $i -ge ${Math.ceil(seconds * STEPS_PER_SECOND)} ] && break
  sleep 0.${10 / STEPS_PER_SECOND} 2>/dev/null || { sleep 1; i=$((i + ${STEPS_PER_SECOND - 1})); }
done
if [ -n "$state" ]; then printf 'Manager=systemd\\n%s\\n' "$state"; else
${unitStateScript(name)}
fi`;
}

function sameInvocation(since: string | undefined): string {
  const id = since?.split(':')[0] ?? '';
  // Without an invocation id the reader on the control machine decides.
  return id === '' ? '*) break ;;' : `*InvocationID=${id}*) ;; *) break ;;`;
}

/** The last lines of the unit's journal (or OpenRC's log), for error messages; empty when there is none to read. */
export async function journalTail(target: ReadTarget, name: string, lines = 30): Promise<string> {
  const unit = quote(name);
  const script = `
if command -v journalctl >/dev/null 2>&1; then journalctl -u ${unit} -n ${lines} --no-pager 2>/dev/null
else tail -n ${lines} ${quote(`/var/log/${name}.log`)} 2>/dev/null || grep -F ${unit} /var/log/messages 2>/dev/null | tail -n ${lines}
fi`;
  try {
    return (await target.read(script, { timeout: 30_000 })).stdout.trimEnd();
  } catch {
    // The journal only adds to an error that is reported anyway.
    return '';
  }
}

/**
 * Seconds that the unit was down over a restart: by systemd's own clock where it tells, else as watched. A unit that did
 * not run before has no such time of its own: then it is how long the start took.
 */
export function downtimeSeconds({ state, elapsed }: Watched, before: UnitState | undefined): number {
  const measured = state.activeEnter - state.activeExit;
  const ms = before?.active === 'active' && state.activeExit > 0 && measured > 0 ? measured / 1000 : elapsed;
  return Math.round(ms) / 1000;
}
