/** State of one service under systemd or OpenRC: how to ask for it, and how to read the answer. */
import { quote } from './quote.ts';

export type ServiceManager = 'systemd' | 'openrc' | 'none';

export interface UnitState {
  manager: ServiceManager;
  exists: boolean;
  masked: boolean;
  enabled: boolean;
  /** False for units that cannot be enabled or disabled: static, generated and transient ones. */
  canEnable: boolean;
  /** systemd's ActiveState; for OpenRC one of active, inactive, activating, failed. */
  active: string;
  sub: string;
  /** systemd's Result: `success`, `exit-code`, `timeout` … */
  result: string;
  type: string;
  /** Changes with every start of the unit; empty where the manager does not tell. */
  invocation: string;
  /** systemd has a job for the unit in its queue. */
  jobPending: boolean;
  restarts: number;
  needsDaemonReload: boolean;
  mainPid: number;
  /** Microseconds on systemd's monotonic clock; 0 where it does not tell. */
  activeExit: number;
  activeEnter: number;
}

const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'Result',
  'Type',
  'InvocationID',
  'ExecMainStartTimestampMonotonic',
  'ActiveExitTimestampMonotonic',
  'ActiveEnterTimestampMonotonic',
  'Job',
  'NRestarts',
  'NeedDaemonReload',
  'MainPID',
].join(',');

/** One line of sh that prints the unit's properties; for loops in larger scripts. systemd only. */
export function systemdShow(name: string): string {
  return `systemctl show -p ${PROPERTIES} -- ${quote(name)}`;
}

/** A script that prints what `parseUnitState` reads, whichever service manager the host has. */
export function unitStateScript(name: string): string {
  const word = quote(name);
  return `
if command -v systemctl >/dev/null 2>&1 && state=$(${systemdShow(name)} 2>/dev/null); then
  printf 'Manager=systemd\\n%s\\n' "$state"
elif command -v rc-service >/dev/null 2>&1; then
  echo Manager=openrc
  if rc-service --exists ${word} 2>/dev/null; then
    echo LoadState=loaded
    rc-service ${word} status >/dev/null 2>&1
    echo "StatusCode=$?"
    if rc-update show default 2>/dev/null | grep -q "^ *"${word}" "; then echo UnitFileState=enabled; else echo UnitFileState=disabled; fi
  else
    echo LoadState=not-found
  fi
else
  echo Manager=none
fi`;
}

/** OpenRC's exit codes of `status`: started, stopped, starting, stopping, crashed (openrc-run.sh, einfo in rc.h). */
const OPENRC_STATES: Record<string, string> = {
  '0': 'active',
  '3': 'inactive',
  '4': 'deactivating',
  '8': 'activating',
  '16': 'inactive',
  '32': 'failed',
};

/** Reads `Key=value` lines; what is missing counts as inactive, disabled, 0. */
export function parseUnitState(output: string): UnitState {
  const values = new Map<string, string>();
  for (const line of output.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const text = (key: string) => values.get(key) ?? '';
  const number = (key: string) => Number.parseInt(text(key), 10) || 0;
  const manager = text('Manager') === 'openrc' ? 'openrc' : text('Manager') === 'none' ? 'none' : 'systemd';
  const fileState = text('UnitFileState');
  const load = text('LoadState');
  const started = number('ExecMainStartTimestampMonotonic');
  return {
    manager,
    exists: load !== '' && load !== 'not-found',
    masked: load === 'masked' || fileState.startsWith('masked'),
    enabled: fileState === 'enabled' || fileState === 'enabled-runtime',
    canEnable: fileState === '' || /^(enabled|disabled|masked|linked|bad)/.test(fileState),
    active:
      manager === 'openrc' ? (OPENRC_STATES[text('StatusCode')] ?? 'inactive') : text('ActiveState') || 'inactive',
    sub: text('SubState'),
    result: text('Result') || 'success',
    type: text('Type'),
    invocation: text('InvocationID') === '' && started === 0 ? '' : `${text('InvocationID')}:${started}`,
    jobPending: number('Job') > 0,
    restarts: number('NRestarts'),
    needsDaemonReload: text('NeedDaemonReload') === 'yes',
    mainPid: number('MainPID'),
    activeExit: number('ActiveExitTimestampMonotonic'),
    activeEnter: number('ActiveEnterTimestampMonotonic'),
  };
}

/** It runs, or it was a one-shot that ended well. */
export function isUp(state: UnitState): boolean {
  return (
    state.active === 'active' || (state.active === 'inactive' && state.type === 'oneshot' && state.result === 'success')
  );
}
