import { dirname } from 'node:path';
import {
  defineModule,
  type ReadTarget,
  TaskFailure,
  type UndoForecast,
  type WriteTarget,
} from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema } from '../shared/duration.ts';
import { backupOf, endInstallation, type K3sBackup, leftToRestore, restoreBackup } from '../shared/k3s-files.ts';
import { type Installation, installK3s, startK3s } from '../shared/k3s-install.ts';
import { changesOf, findUnit, installerEnv, refuseUnreplayable, requireStep } from '../shared/k3s-install-plan.ts';
import { getInstaller, isInstalling } from '../shared/k3s-installer.ts';
import { OWN_VARIABLES, replayOf } from '../shared/k3s-replay.ts';
import { restartUnit, type SqliteCopy } from '../shared/k3s-start.ts';
import { isSecretName, type K3sState, type K3sUnit, mainUnit, placeArgs, readK3sState } from '../shared/k3s-state.ts';
import { parseK3sVersion } from '../shared/k3s-version.ts';
import { steady } from '../shared/steady.ts';

interface Undo {
  backup: K3sBackup;
  version: string;
  startTimeout: number;
}

export const installScript = defineModule({
  name: 'install-script',
  description: 'Installs or upgrades k3s with its install script, keeping every argument and variable of the unit.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['version'],
    properties: {
      version: { type: 'string', description: 'The version to install: `v1.31.5+k3s1`.' },
      role: { type: 'string', enum: ['server', 'agent'], description: 'Needed where k3s is not installed yet.' },
      script: {
        type: 'string',
        default: 'https://get.k3s.io',
        description: 'URL of the install script, or a local path.',
      },
      checksum: { type: 'string', description: 'sha256 of the install script.' },
      download: {
        type: 'string',
        enum: ['control', 'target'],
        default: 'control',
        description: 'Which machine downloads the install script.',
      },
      install_env: {
        type: 'object',
        additionalProperties: { type: 'string' },
        default: {},
        description:
          'Variables for the script: mirrors (`GITHUB_URL`, `INSTALL_K3S_SKIP_DOWNLOAD`), proxies, and for a new node ' +
          '`K3S_URL` and `K3S_TOKEN`.',
      },
      exec_args: {
        type: 'array',
        items: { type: 'string' },
        description: 'Arguments of `k3s server` or `k3s agent`, in place of those in the present unit.',
      },
      unit: { type: 'string', description: 'Name of the unit, when it is neither k3s nor k3s-agent.' },
      snapshot_sqlite: {
        type: 'boolean',
        default: true,
        description: 'On a server with SQLite: copy the database and the token while k3s is stopped for the upgrade.',
      },
      install_timeout: durationSchema('How long the install script may run.', '15m'),
      start_timeout: durationSchema('How long k3s may take to start.', '5m'),
      ...placeArgs,
    },
  },
  shorthand: 'version',
  examples: [
    { title: 'Upgrade a node', yaml: 'install-script: { version: v1.31.5+k3s1 }' },
    {
      title: 'A new agent, from a mirror',
      yaml:
        'install-script:\n  version: v1.31.5+k3s1\n  role: agent\n  script: files/install.sh\n  install_env:\n' +
        '    GITHUB_URL: https://mirror.example.org/k3s\n    K3S_URL: https://10.0.0.1:6443\n    K3S_TOKEN: "{{ k3s_token }}"',
    },
  ],
  kind: 'action',
  guard: 'only when the installed version differs, the unit does not run, or it still runs the previous binary',
  needs: ['systemctl', 'mktemp', 'sha256sum'],
  returns: {
    type: 'object',
    properties: {
      installed: { type: ['string', 'null'], description: 'Version of the binary.' },
      previous: { type: ['string', 'null'], description: 'The version before; null on a new node.' },
      role: { type: 'string', description: 'server or agent.' },
      unit: { type: 'string', description: 'Name of the unit.' },
      downtime_seconds: { type: 'number', description: 'How long the unit was down; pods ran on meanwhile.' },
      datastore: { type: 'string', description: 'etcd, sqlite, external or none.' },
      sqlite_copy: {
        type: 'string',
        description: 'Where the copy of the database is on the target; empty without one.',
      },
      token_sha256: {
        type: 'string',
        description: 'Hash of the server token, which a restore needs; empty on agents.',
      },
    },
  },
  notes:
    'The install script writes unit and environment file anew. This module reads both before, gives their arguments and ' +
    'variables to the script, and compares afterwards. When anything was lost, the previous binary, unit and ' +
    'environment file come back and the task fails, before k3s is restarted. Lines that the script has no way to keep ' +
    'are named before it runs. The script itself starts nothing: the module restarts the unit without blocking and ' +
    'watches it. The previous binary stays on the node; undo puts it back, within a minor version only.',
  check(args) {
    const own = Object.keys((args.install_env as object | undefined) ?? {}).find((name) => name in OWN_VARIABLES);
    if (own) return `\`install_env\` must not set ${own}; the argument for it is ${OWN_VARIABLES[own]}`;
    if (typeof args.checksum === 'string' && !/^(sha256:)?[0-9a-f]{64}$|\{\{/i.test(args.checksum)) {
      return '`checksum` is not 64 hexadecimal digits, with or without `sha256:` before them';
    }
    return checkDurations(args, 'install_timeout', 'start_timeout');
  },
  async plan(args, target) {
    const { bin_dir, systemd_dir, data_dir, config_dir } = args;
    const places = { bin_dir, systemd_dir, data_dir, config_dir };
    for (const [name, value] of Object.entries(args.install_env)) if (isSecretName(name)) target.secret(value);
    const before = await readK3sState(target, places, args.unit ? { names: [args.unit] } : {});
    const unit = findUnit(before, args);
    if (before.interrupted)
      target.warn('an earlier installation was interrupted; it is done again from what was before it');
    const role = args.role ?? unit!.role;
    const install = requireStep(before, args.version, unit);
    const replay = replayOf(unit, args.exec_args, args.install_env);
    if (install && unit) refuseUnreplayable(unit, replay);
    const copySqlite = install && args.snapshot_sqlite && role === 'server' && before.datastore === 'sqlite';
    const next: Installation = {
      version: parseK3sVersion(args.version)!.text,
      role,
      unitName: args.unit ?? unit?.name ?? (role === 'server' ? 'k3s' : 'k3s-agent'),
      places,
      before,
      ...(unit ? { unit } : {}),
      replay,
      env: installerEnv(args, unit, replay),
      copySqlite,
      installTimeout: durationOf(args.install_timeout, 'install_timeout'),
      startTimeout: durationOf(args.start_timeout, 'start_timeout'),
    };
    if (install) next.installer = await getInstaller(target, args);
    const undo = undoOf(next, target);
    const changes = changesOf(next);
    const facts = factsOf(before, unit, next, 0);
    const { installed: _, downtime_seconds: __, sqlite_copy: ___, ...known } = facts;
    const predicted = { ...known, installed: next.version, previous: before.installed ?? null };
    if (changes.length === 0) {
      target.nodeIsWell(target.nodeName, 'k3s');
      return { changes, facts, message: `already ${next.version}` };
    }
    return { changes, facts, predicted, next: { ...next, undo }, undo };
  },
  async apply({ undo, ...next }: Installation & { undo: Undo | undefined }, real) {
    const target = steady(real);
    const backup = backupOf(next.before, next.unit, next.places, target.stateDir);
    if (next.installer) {
      await installK3s(next, next.installer, backup, target);
      // From here on there is something to take back, whether k3s starts or not.
      target.recordUndo?.(undo);
    }
    target.nodeState(
      target.nodeName,
      `half upgraded: ${next.version} is installed and ${next.unitName} is not up with it`,
    );
    const { downtime, copy } = await startK3s(next, backup, real);
    target.nodeState(target.nodeName, undefined);
    const after = await readK3sState(target, next.places, { names: [next.unitName], asIs: true });
    const facts = factsOf(after, mainUnit(after, next.role), next, downtime, copy);
    const previous = undo?.backup.version ?? next.before.installed ?? null;
    return { facts: { ...facts, previous }, ...(undo ? { undo } : {}) };
  },
  async undo(undo: Undo, real) {
    const target = steady(real);
    const { backup } = undo;
    const { refused, hint } = judgeUndo(undo);
    if (refused !== undefined || backup.unit === undefined) {
      throw new TaskFailure(refused ?? 'k3s was newly installed', { code: 'cannot-undo', hint });
    }
    if (await isInstalling(target, backup.dir)) {
      throw new TaskFailure('the install script that the run began is still at work', {
        code: 'installer-running',
        hint: 'wait until it has ended, then run the rollback again',
      });
    }
    const left = await leftToRestore(target, backup);
    if (left !== 'restarted') await goBack(undo, backup.unit, left, real);
    target.nodeState(target.nodeName, undefined);
  },
  foreseeUndo: judgeUndo,
});

/** The files first, then a restart with them. */
async function goBack(undo: Undo, unit: string, left: 'files' | 'copy' | 'none', real: WriteTarget): Promise<void> {
  const target = steady(real);
  const { backup, startTimeout: timeout } = undo;
  const state = await readK3sState(target, backup.places, { names: [unit], asIs: true });
  // The run died before it changed anything, not even a copy was made.
  if (left === 'copy' && state.installed === backup.version) return;
  target.nodeState(target.nodeName, `half rolled back: ${unit} is not up with ${backup.version} yet`);
  const before = mainUnit(state);
  if (left !== 'none') {
    const wrong = await restoreBackup(target, backup);
    if (wrong) throw new TaskFailure(`the previous k3s could not be put back: ${wrong}`, { code: 'restore-failed' });
    await endInstallation(target, backup);
  }
  await restartUnit(real, { unit, before: before?.state, timeout });
}

function judgeUndo({ backup, version }: Undo): UndoForecast {
  const [from, to] = [parseK3sVersion(version), parseK3sVersion(backup.version ?? '')];
  if (!to || backup.unit === undefined) {
    return {
      refused: 'k3s was newly installed; taking that back would delete the data of the node',
      hint: 'k3s-uninstall.sh or k3s-agent-uninstall.sh on the node does it',
    };
  }
  if (!from || from.major !== to.major || from.minor !== to.minor) {
    return {
      refused: `${version} → ${to.text} goes back over a minor version`,
      hint: 'the newer version may have changed the datastore: restore the snapshot from before the upgrade',
    };
  }
  return { stays: [`copies of binary and unit of ${to.text}, and what else reeve keeps, in ${dirname(backup.dir)}`] };
}

/** The way back to what was before; of a run that died in the installation, to what was before that. */
function undoOf(next: Installation, target: ReadTarget): Undo | undefined {
  if (target.begun !== undefined) return target.begun as Undo;
  if (!next.installer) return undefined;
  const backup = backupOf(next.before, next.unit, next.places, target.stateDir);
  return { backup, version: next.version, startTimeout: next.startTimeout };
}

function factsOf(state: K3sState, unit: K3sUnit | undefined, next: Installation, downtime: number, copy?: SqliteCopy) {
  return {
    installed: state.installed ?? null,
    previous: state.installed ?? null,
    role: unit?.role ?? next.role,
    unit: unit?.name ?? next.unitName,
    downtime_seconds: downtime,
    datastore: state.datastore,
    sqlite_copy: copy?.path ?? '',
    token_sha256: state.tokenHash ?? '',
  };
}
