/** What an installation of k3s does to a host, decided from what is on it; with the reasons to refuse it. */
import { type Change, TaskFailure } from '../../runner/module.ts';
import type { Installation } from './k3s-install.ts';
import { type Replay, shownReplay, unreplayable } from './k3s-replay.ts';
import { type K3sPlaces, type K3sRole, type K3sState, type K3sUnit, mainUnit, parsedVersion } from './k3s-state.ts';
import { hopLine, judgeStep, parseK3sVersion } from './k3s-version.ts';

export interface Asked {
  version: string;
  role?: K3sRole;
  unit?: string;
  install_env: Record<string, string>;
}

/** The unit to upgrade; undefined for a new node. Throws where host and arguments do not fit together. */
export function findUnit(state: K3sState, args: Asked): K3sUnit | undefined {
  if (!state.systemd) {
    throw new TaskFailure('this host has no systemd; k3s under OpenRC is not supported yet', { code: 'no-systemd' });
  }
  if (!parseK3sVersion(args.version)?.build) {
    throw new TaskFailure(`${args.version} is no k3s version`, {
      code: 'bad-version',
      hint: 'it has the form v1.31.5+k3s1',
    });
  }
  const unit = args.unit ? state.units.find((one) => one.name === args.unit) : mainUnit(state);
  if (!unit && state.units.length > 1) {
    const names = state.units.map((one) => one.name).join(' and ');
    throw new TaskFailure(`this host has the units ${names}, and it cannot be told which of them is meant`, {
      code: 'ambiguous-role',
      hint: 'an agent whose installer ran without K3S_URL gets a server unit: disable the wrong one, or name one with `unit`',
    });
  }
  if (!unit && !args.role) {
    throw new TaskFailure('k3s is not installed here', {
      code: 'role-needed',
      hint: 'say `role: server` or `role: agent`',
    });
  }
  if (unit && args.role && unit.role !== args.role) {
    throw new TaskFailure(`this host is a k3s ${unit.role}, not a ${args.role}`, { code: 'wrong-role' });
  }
  return unit;
}

/** Whether the script has to run. Throws TaskFailure `downgrade` or `skipped-minor`. */
export function requireStep(state: K3sState, version: string, unit: K3sUnit | undefined): boolean {
  const installed = parsedVersion(state);
  const step = judgeStep(installed, parseK3sVersion(version)!);
  if (step.verdict === 'downgrade') {
    throw new TaskFailure(`${installed!.text} is installed, which is newer than ${version}`, { code: 'downgrade' });
  }
  if (step.verdict === 'skips-minor') {
    throw new TaskFailure(`${installed!.text} → ${version} skips a minor version`, {
      code: 'skipped-minor',
      hint: `go one minor at a time: ${hopLine(installed!, step)}`,
    });
  }
  return step.verdict !== 'same' || !unit || state.interrupted;
}

/** Throws TaskFailure `unreplayable`. */
export function refuseUnreplayable(unit: K3sUnit, wanted: Replay): void {
  const lost = unreplayable(unit, wanted);
  if (lost.length === 0) return;
  throw new TaskFailure(`the install script would lose ${lost.join(', ')}`, {
    code: 'unreplayable',
    hint: `move variables to /etc/default/${unit.name}, directives to a drop-in (systemctl edit ${unit.name}) and arguments to config.yaml; the script leaves all three alone`,
  });
}

/** The script's environment: what the unit has, what the task adds, and last what the module itself must say. */
export function installerEnv(
  args: Asked & K3sPlaces,
  unit: K3sUnit | undefined,
  replay: Replay,
): Record<string, string> {
  const type = unit?.directives.find((one) => one.section === 'Service' && one.key === 'Type')?.value;
  const name = args.unit?.replace(/^k3s-/, '');
  return {
    ...(type ? { INSTALL_K3S_TYPE: type } : {}),
    ...Object.fromEntries(replay.env),
    ...args.install_env,
    INSTALL_K3S_VERSION: args.version,
    INSTALL_K3S_BIN_DIR: args.bin_dir,
    INSTALL_K3S_SYSTEMD_DIR: args.systemd_dir,
    INSTALL_K3S_SKIP_START: 'true',
    ...(name && args.unit !== 'k3s' && args.unit !== 'k3s-agent' ? { INSTALL_K3S_NAME: name } : {}),
    ...(unit && !unit.state.enabled ? { INSTALL_K3S_SKIP_ENABLE: 'true' } : {}),
  };
}

/** The changes as check mode shows them. */
export function changesOf(next: Installation): Change[] {
  const { before, unit, unitName, version, replay } = next;
  const changes: Change[] = [];
  if (next.installer) {
    const from = before.installed ?? 'not installed';
    changes.push({ summary: `k3s: ${from} → ${version}`, before: before.installed ?? null, after: version });
    const old = unit ? shownReplay({ args: unit.args, env: unit.env }) : '';
    const now = shownReplay(replay);
    if (old !== now)
      changes.push({ summary: `${unitName}: arguments and variables`, before: old, after: now, path: unitName });
    if (next.copySqlite) changes.push({ summary: 'SQLite database: copied while k3s is stopped' });
  }
  if (next.installer || unit?.stale || unit?.state.active !== 'active') {
    const what = unit?.state.active === 'active' ? 'restart' : 'start';
    changes.push({ summary: `${unitName}: ${what}`, before: unit?.state.active ?? 'absent', after: 'active' });
  }
  return changes;
}
