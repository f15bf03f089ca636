import { type Change, defineModule, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema, spoken } from '../shared/duration.ts';
import { quote } from '../shared/quote.ts';
import { downtimeSeconds, journalTail, watchUnit } from '../shared/unit-watch.ts';
import { isUp, parseUnitState, type UnitState, unitStateScript } from '../shared/units.ts';

type Step = 'unmask' | 'mask' | 'daemon-reload' | 'enable' | 'disable' | 'start' | 'stop' | 'restart' | 'reload';

interface Next {
  name: string;
  steps: Step[];
  wait: boolean;
  timeout: number;
  before: UnitState;
}

interface Undo {
  name: string;
  manager: UnitState['manager'];
  active: boolean;
  enabled: boolean;
  masked: boolean;
  /** It was restarted or reloaded. */
  reread?: boolean;
}

export const service = defineModule({
  name: 'service',
  description: 'Keeps a systemd or OpenRC service in the wanted state.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1, description: 'Name of the unit; `.service` may be left out.' },
      state: {
        type: 'string',
        enum: ['started', 'stopped', 'restarted', 'reloaded'],
        description: 'Run state. `restarted` and `reloaded` act every time.',
      },
      enabled: { type: 'boolean', description: 'Start at boot.' },
      masked: { type: 'boolean', description: 'Forbid every start (systemd only).' },
      daemon_reload: {
        type: 'boolean',
        default: true,
        description: 'Let systemd read its unit files again when it says that those of this unit have changed.',
      },
      no_block: { type: 'boolean', default: false, description: 'Ask for the change and do not wait for it.' },
      timeout: durationSchema('How long a start or stop may take.', '2m'),
    },
  },
  shorthand: 'name',
  examples: [
    { title: 'Running, and after a reboot too', yaml: 'service: { name: k3s, state: started, enabled: true }' },
    { title: 'Restart with more patience', yaml: 'service: { name: k3s-agent, state: restarted, timeout: 5m }' },
  ],
  kind: 'state',
  isAction: (args) => args.state === 'restarted' || args.state === 'reloaded',
  returns: {
    type: 'object',
    properties: {
      active: { type: 'string', description: 'active, inactive, failed, activating …' },
      enabled: { type: 'boolean', description: 'Starts at boot.' },
      masked: { type: 'boolean', description: 'Cannot be started.' },
      manager: { type: 'string', description: 'systemd or openrc.' },
      downtime_seconds: { type: 'number', description: 'How long a restart took the service away; else 0.' },
    },
  },
  notes:
    'A start, stop or restart is asked for without blocking and then watched until the deadline, so that a unit which ' +
    'never says that it is ready cannot hang the run. On failure the error ends with the last 30 lines of its journal.',
  check(args) {
    if (args.state === undefined && args.enabled === undefined && args.masked === undefined) {
      return 'service needs `state`, `enabled` or `masked`';
    }
    return checkDurations(args, 'timeout');
  },
  async plan(args, target) {
    const before = parseUnitState((await target.read(unitStateScript(args.name))).stdout);
    const facts = factsOf(before, 0);
    if (before.manager === 'none') {
      throw new TaskFailure('neither systemd nor OpenRC answers on this host', { code: 'no-service-manager', facts });
    }
    if (!before.exists) {
      const off = args.state !== 'started' && args.state !== 'restarted' && args.state !== 'reloaded' && !args.enabled;
      if (off && args.masked !== true) return { changes: [], facts, message: `there is no service ${args.name}` };
      if (args.masked !== true) return { changes: [], facts, unknown: `there is no service ${args.name} (yet)` };
    }
    if (args.enabled !== undefined && !before.canEnable && args.enabled !== before.enabled) {
      target.warn(`${args.name} has no [Install] section: it can be neither enabled nor disabled`);
    }
    const { steps, changes } = decide(args, before);
    const next: Next = {
      name: args.name,
      steps,
      wait: !args.no_block,
      timeout: durationOf(args.timeout, 'timeout'),
      before,
    };
    return { changes, facts, predicted: predict(args, before), next, undo: undoOf(next) };
  },
  async apply(next, target) {
    await runSteps(next, target);
    const state = await settle(next, target);
    return { facts: factsOf(state.unit, state.downtime), undo: undoOf(next) };
  },
  async undo(undo: Undo, target) {
    const now = parseUnitState((await target.read(unitStateScript(undo.name))).stdout);
    const steps: Step[] = [];
    if (now.masked && !undo.masked) steps.push('unmask');
    if (now.exists && now.canEnable && now.enabled !== undo.enabled) steps.push(undo.enabled ? 'enable' : 'disable');
    if (isUp(now) !== undo.active && now.exists) steps.push(undo.active ? 'start' : 'stop');
    if (!now.masked && undo.masked) steps.push('mask');
    const next: Next = { name: undo.name, steps, wait: true, timeout: target.remaining(), before: now };
    await runSteps(next, target);
    await settle(next, target);
  },
  foreseeUndo({ name, reread }: Undo) {
    return reread ? { stays: [`${name} runs on with what it has read at its restart; it is not restarted again`] } : {};
  },
});

function undoOf({ name, before, steps }: Next): Undo {
  const { manager, enabled, masked } = before;
  const reread = steps.includes('restart') || steps.includes('reload');
  return { name, manager, active: isUp(before), enabled, masked, ...(reread && { reread }) };
}

function factsOf(state: UnitState, downtime: number): Record<string, unknown> {
  const { active, enabled, masked, manager } = state;
  return { active, enabled, masked, manager, downtime_seconds: downtime };
}

interface Wanted {
  name: string;
  state?: 'started' | 'stopped' | 'restarted' | 'reloaded';
  enabled?: boolean;
  masked?: boolean;
  daemon_reload: boolean;
}

/** What has to be done, in the order in which it must be done. */
function decide(args: Wanted, before: UnitState): { steps: Step[]; changes: Change[] } {
  const steps: Step[] = [];
  const changes: Change[] = [];
  const add = (step: Step, from: unknown, to: unknown) => {
    steps.push(step);
    changes.push({ summary: `${args.name}: ${step}`, before: from, after: to });
  };
  if (args.masked === false && before.masked) add('unmask', 'masked', 'not masked');
  if (args.daemon_reload && before.needsDaemonReload)
    add('daemon-reload', 'unit files as loaded', 'unit files on disk');
  if (args.enabled !== undefined && before.canEnable && args.enabled !== before.enabled) {
    add(args.enabled ? 'enable' : 'disable', onBoot(before.enabled), onBoot(args.enabled));
  }
  const up = before.active === 'active';
  if (args.state === 'started' && !up) add('start', before.active, 'active');
  if (args.state === 'stopped' && !['inactive', 'failed'].includes(before.active))
    add('stop', before.active, 'inactive');
  if (args.state === 'restarted') add('restart', before.active, 'active');
  if (args.state === 'reloaded') add(up ? 'reload' : 'start', before.active, 'active');
  if (args.masked === true && !before.masked) add('mask', 'not masked', 'masked');
  return { steps, changes };
}

function onBoot(enabled: boolean): string {
  return enabled ? 'enabled' : 'disabled';
}

function predict(args: Wanted, before: UnitState): Record<string, unknown> {
  const active = args.state === undefined ? before.active : args.state === 'stopped' ? 'inactive' : 'active';
  const enabled = before.canEnable ? (args.enabled ?? before.enabled) : before.enabled;
  const masked = args.masked ?? before.masked;
  const restarts = args.state === 'restarted';
  return { active, enabled, masked, manager: before.manager, ...(restarts ? {} : { downtime_seconds: 0 }) };
}

/** All of it in one script; what takes time is only asked for. */
async function runSteps(next: Next, target: WriteTarget): Promise<void> {
  if (next.steps.length === 0) return;
  const command = next.before.manager === 'openrc' ? openrcCommand : systemdCommand;
  const lines = next.steps.map((step) => command(step, next.name));
  const result = await target.run(`{ ${lines.join(' && ')}; } 2>&1`);
  if (result.code === 0) return;
  throw new TaskFailure(`${next.name}: ${next.steps.join(', ')} failed: ${result.stdout.trim()}`, {
    code: 'service-failed',
    ...(next.before.masked ? { hint: 'the unit is masked: set `masked: false`' } : {}),
  });
}

function systemdCommand(step: Step, name: string): string {
  if (step === 'daemon-reload') return 'systemctl daemon-reload';
  const waits = ['start', 'stop', 'restart', 'reload'].includes(step);
  return `systemctl ${step}${waits ? ' --no-block' : ''} -- ${quote(name)}`;
}

function openrcCommand(step: Step, name: string): string {
  if (step === 'enable') return `rc-update add ${quote(name)} default`;
  if (step === 'disable') return `rc-update del ${quote(name)} default`;
  if (step === 'mask' || step === 'unmask') return `{ echo 'OpenRC cannot mask services'; false; }`;
  if (step === 'daemon-reload') return ':';
  return `rc-service ${quote(name)} ${step}`;
}

/** Waits for what runSteps asked for. Throws TaskFailure `service-failed` with the journal's end. */
async function settle(next: Next, target: WriteTarget): Promise<{ unit: UnitState; downtime: number }> {
  const last = next.steps.find((step) => ['start', 'stop', 'restart', 'reload'].includes(step));
  if (last === undefined || !next.wait) {
    return { unit: parseUnitState((await target.read(unitStateScript(next.name))).stdout), downtime: 0 };
  }
  const up = last !== 'stop';
  const watched = await watchUnit(target, next.name, {
    until: up ? 'up' : 'down',
    timeout: Math.min(next.timeout, target.remaining()),
    ...(last === 'restart' ? { since: next.before.invocation } : {}),
  });
  const { state, settled, elapsed } = watched;
  if (settled && (up ? isUp(state) : !isUp(state) || state.type === 'oneshot')) {
    return { unit: state, downtime: last === 'restart' ? downtimeSeconds(watched, next.before) : 0 };
  }
  const journal = await journalTail(target, next.name);
  const what = settled
    ? `is ${state.active} after ${last}`
    : `is still ${state.active} ${spoken(elapsed)} after ${last}`;
  throw new TaskFailure(`${next.name} ${what}${journal ? `; the end of its journal:\n${journal}` : ''}`, {
    code: 'service-failed',
    facts: factsOf(state, 0),
  });
}
