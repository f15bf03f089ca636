/** Running the install script on a node: copies first, the script, a look at what it left, and the restart. */
import { TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { endInstallation, type K3sBackup, makeBackup, restoreBackup } from './k3s-files.ts';
import { BUSY, type Installer, runInstaller } from './k3s-installer.ts';
import { losses, type Replay, strayServerUnits } from './k3s-replay.ts';
import { restartUnit, restartWithCopy, type SqliteCopy } from './k3s-start.ts';
import { type K3sPlaces, type K3sRole, type K3sState, type K3sUnit, readK3sState } from './k3s-state.ts';
import { quote } from './quote.ts';

/** All that was decided before anything is changed. */
export interface Installation {
  version: string;
  role: K3sRole;
  unitName: string;
  places: K3sPlaces;
  before: K3sState;
  unit?: K3sUnit;
  replay: Replay;
  /** Absent when the binary is right and only the unit has to be started. */
  installer?: Installer;
  env: Record<string, string>;
  copySqlite: boolean;
  installTimeout: number;
  startTimeout: number;
}

/** Runs the script and looks at what it left. On any loss everything is put back, and k3s has not been restarted. */
export async function installK3s(
  next: Installation,
  installer: Installer,
  backup: K3sBackup,
  target: WriteTarget,
): Promise<void> {
  await makeBackup(target, backup);
  target.nodeState(target.nodeName, `the install script of ${next.version} is running`);
  target.progress(`installing ${next.version}`);
  const argv = [next.role, ...next.replay.args];
  const run = await runInstaller(target, {
    installer,
    argv,
    lockDir: backup.dir,
    env: next.env,
    timeout: next.installTimeout,
  });
  if (run.code === BUSY) {
    throw new TaskFailure(run.stderr.trim(), {
      code: 'installer-running',
      hint: 'it goes on though the run that began it is gone: wait until it has ended, then run again',
    });
  }
  const after = await readK3sState(target, next.places, { names: [next.unitName], asIs: true });
  const stray = next.role === 'agent' ? strayServerUnits(next.before, after) : [];
  const failure = whatWentWrong(next, run, after, stray);
  if (!failure) return endInstallation(target, backup);
  const left: string[] = [];
  for (const unit of stray) {
    const name = quote(`${unit.name}.service`);
    const disabled = await target.run(`systemctl disable ${name} 2>&1 && systemctl stop --no-block ${name} 2>&1`);
    left.push(
      disabled.code === 0
        ? `${unit.name} was disabled`
        : `${unit.name} could not be disabled: ${disabled.stdout.trim()}`,
    );
  }
  const wrong = next.unit ? await restoreBackup(target, backup) : undefined;
  if (next.unit)
    left.push(wrong ? `not everything could be put back: ${wrong}` : 'binary, unit and variables were put back');
  if (!wrong) await endInstallation(target, backup);
  target.nodeState(target.nodeName, wrong ? `half upgraded: ${wrong}` : undefined);
  throw new TaskFailure(`${failure.message}; ${left.join('; ') || 'nothing was started'}`, {
    code: failure.code,
    hint: failure.hint,
  });
}

interface Failure {
  code: string;
  message: string;
  hint: string;
}

function whatWentWrong(
  next: Installation,
  run: { code: number; stdout: string; stderr: string; timedOut: boolean },
  after: K3sState,
  stray: K3sUnit[],
): Failure | undefined {
  const tail = `${run.stdout}\n${run.stderr}`.trim().split('\n').slice(-10).join('\n');
  if (run.code !== 0 || run.timedOut) {
    const how = run.timedOut ? 'did not end in time' : `failed with exit code ${run.code}`;
    return {
      code: 'install-failed',
      message: `the install script ${how}:\n${tail}\n`,
      hint: 'k3s itself was not restarted',
    };
  }
  if (stray.length > 0) {
    const names = stray.map((unit) => unit.name).join(', ');
    return {
      code: 'agent-became-server',
      message: `the install script made a server unit (${names}) on this agent`,
      hint: 'this script ignores the role it is given: use the one from get.k3s.io',
    };
  }
  const unit = after.units.find((one) => one.name === next.unitName);
  const lost = losses(next.unit, unit, next.replay);
  if (lost.length > 0) {
    return {
      code: 'install-lost-settings',
      message: `the install script lost ${lost.join(', ')}`,
      hint: 'k3s was not restarted',
    };
  }
  if (after.installed === next.version) return undefined;
  return {
    code: 'wrong-version',
    message: `the install script ended well, and k3s --version says ${after.installed ?? 'nothing'} instead of ${next.version}`,
    hint: 'a mirror or a binary put there beforehand (INSTALL_K3S_SKIP_DOWNLOAD) may have another version',
  };
}

/** Restarts the unit, with the copy of the database in between where one is due. */
export async function startK3s(
  next: Installation,
  backup: K3sBackup,
  target: WriteTarget,
): Promise<{ downtime: number; copy?: SqliteCopy }> {
  const options = { unit: next.unitName, before: next.unit?.state, timeout: next.startTimeout };
  if (!next.copySqlite) return { downtime: await restartUnit(target, options) };
  const copyDir = `${target.stateDir}/k3s-sqlite-${next.before.installed ?? next.version}`;
  try {
    return await restartWithCopy(target, { ...options, dataDir: next.places.data_dir, copyDir, backup });
  } catch (error) {
    // The previous files run again: nothing is half done.
    if (error instanceof TaskFailure && error.code === 'sqlite-copy-failed')
      target.nodeState(target.nodeName, undefined);
    throw error;
  }
}
