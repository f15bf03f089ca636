/** Copies of what the install script replaces: binary, unit, environment file; made before it runs, put back on a loss. */
import { TaskFailure, type WriteTarget } from '../../runner/module.ts';
import type { K3sPlaces, K3sState, K3sUnit } from './k3s-state.ts';
import { quote } from './quote.ts';

export interface K3sBackup {
  places: K3sPlaces;
  /** Version of the copied binary; absent when there was none. */
  version?: string;
  /** The unit's name; absent when there was none. */
  unit?: string;
  hadEnv: boolean;
  enabled: boolean;
  /** Directory of the copies on the target. */
  dir: string;
}

export function backupOf(state: K3sState, unit: K3sUnit | undefined, places: K3sPlaces, stateDir: string): K3sBackup {
  const { bin_dir, systemd_dir, data_dir, config_dir } = places;
  return {
    places: { bin_dir, systemd_dir, data_dir, config_dir },
    ...(state.installed === undefined ? {} : { version: state.installed }),
    ...(unit === undefined ? {} : { unit: unit.name }),
    hadEnv: unit?.envText !== undefined,
    enabled: unit?.state.enabled ?? false,
    dir: stateDir,
  };
}

interface Copy {
  original: string;
  copy: string;
}

/** Copies carry the version, so that a second try over a half-done first one cannot replace them with newer files. */
function copiesOf(backup: K3sBackup): { binary?: Copy; unit?: Copy; env?: Copy } {
  const { places, version, unit, dir } = backup;
  if (version === undefined) return {};
  const unitPath = `${places.systemd_dir}/${unit}.service`;
  return {
    binary: { original: `${places.bin_dir}/k3s`, copy: `${dir}/k3s-${version}` },
    ...(unit === undefined ? {} : { unit: { original: unitPath, copy: `${dir}/${unit}.service-${version}` } }),
    ...(backup.hadEnv ? { env: { original: `${unitPath}.env`, copy: `${dir}/${unit}.service.env-${version}` } } : {}),
  };
}

/** Throws TaskFailure `backup-failed`; nothing has been changed then. */
export async function makeBackup(target: WriteTarget, backup: K3sBackup): Promise<void> {
  const copies = Object.values(copiesOf(backup));
  if (copies.length === 0) return;
  const lines = copies.map(({ original, copy }) => {
    const [from, to, part] = [original, copy, `${copy}.part`].map(quote);
    return `[ -f ${to} ] || { cp -p ${from} ${part} && mv -f ${part} ${to}; } || exit 1`;
  });
  const result = await target.run(`umask 077\nmkdir -p ${quote(backup.dir)} || exit 1\n${lines.join('\n')}`);
  if (result.code === 0) return;
  throw new TaskFailure(`no copy of the present k3s could be made in ${backup.dir}: ${result.stderr.trim()}`, {
    code: 'backup-failed',
    hint: 'the previous binary is kept for a rollback; is there room for it?',
  });
}

/** Script that puts back what makeBackup copied; each file by a rename. Exit code 0 when all is as it was. */
export function restoreScript(backup: K3sBackup): string {
  const { binary, unit, env } = copiesOf(backup);
  const lines = [binary, unit, env].flatMap((one) => (one ? [`put ${quote(one.copy)} ${quote(one.original)}`] : []));
  const envPath = `${backup.places.systemd_dir}/${backup.unit}.service.env`;
  if (backup.unit !== undefined && !backup.hadEnv) lines.push(`rm -f ${quote(envPath)}`);
  lines.push('systemctl daemon-reload || failed=1');
  if (backup.unit !== undefined) {
    lines.push(`systemctl ${backup.enabled ? 'enable' : 'disable'} ${quote(`${backup.unit}.service`)} || failed=1`);
  }
  return `
failed=0
put() { cp -p "$1" "$2.reeve-back" && mv -f "$2.reeve-back" "$2" || { echo "$2 was not put back" >&2; failed=1; }; }
{
${lines.join('\n')}
command -v restorecon >/dev/null 2>&1 && restorecon ${quote(`${backup.places.bin_dir}/k3s`)}
} 2>&1
[ $failed = 0 ]`;
}

/** What was wrong with putting the files back; undefined when all is as it was. */
export async function restoreBackup(target: WriteTarget, backup: K3sBackup): Promise<string | undefined> {
  const result = await target.run(restoreScript(backup));
  return result.code === 0 ? undefined : result.stdout.trim() || `exit code ${result.code}`;
}
