/** Copies of what the install script replaces: binary, unit, environment file; made before it runs, put back on a loss. */
import { type ReadTarget, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { copiesDir, copyPaths, type K3sPlaces, type K3sState, type K3sUnit, MARK } from './k3s-state.ts';
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
  /** The copies are there already, from before an installation that was interrupted; the files are no longer those. */
  kept: boolean;
}

export function backupOf(state: K3sState, unit: K3sUnit | undefined, places: K3sPlaces, stateDir: string): K3sBackup {
  const { bin_dir, systemd_dir, data_dir, config_dir } = places;
  return {
    places: { bin_dir, systemd_dir, data_dir, config_dir },
    ...(state.installed === undefined ? {} : { version: state.installed }),
    ...(unit === undefined ? {} : { unit: unit.name }),
    hadEnv: unit?.envText !== undefined,
    enabled: unit?.state.enabled ?? false,
    dir: copiesDir(stateDir),
    kept: state.interrupted,
  };
}

interface Copy {
  original: string;
  copy: string;
}

function copiesOf(backup: K3sBackup): { binary?: Copy; unit?: Copy; env?: Copy } {
  const { places, version, unit = '', dir } = backup;
  if (version === undefined) return {};
  const unitPath = `${places.systemd_dir}/${unit}.service`;
  const copies = copyPaths(dir, version, unit);
  return {
    binary: { original: `${places.bin_dir}/k3s`, copy: copies.binary },
    ...(unit === '' ? {} : { unit: { original: unitPath, copy: copies.unit } }),
    ...(backup.hadEnv ? { env: { original: `${unitPath}.env`, copy: copies.env } } : {}),
  };
}

/** Binaries that stay for a rollback. */
const KEPT_BINARIES = 3;

/** Throws TaskFailure `backup-failed`; nothing has been changed then. */
export async function makeBackup(target: WriteTarget, backup: K3sBackup): Promise<void> {
  const copies = Object.values(copiesOf(backup));
  if (copies.length === 0 || backup.unit === undefined || backup.kept) return;
  const lines = copies.map(({ original, copy }) => {
    const [from, to, part] = [original, copy, `${copy}.part`].map(quote);
    return `cmp -s ${from} ${to} || { cp -p ${from} ${part} && mv -f ${part} ${to}; } || exit 1`;
  });
  const mark = quote(`${backup.dir}/${MARK}`);
  const words = `${backup.unit} ${backup.version} ${backup.enabled ? 'enabled' : 'disabled'}`;
  const result = await target.run(`umask 077
mkdir -p ${quote(backup.dir)} || exit 1
${lines.join('\n')}
echo ${quote(words)} >${mark}.part && mv -f ${mark}.part ${mark} || exit 1
cd ${quote(backup.dir)} && ls -t k3s-v* | tail -n +${KEPT_BINARIES + 1} | while IFS= read -r old; do rm -f "./$old"; done`);
  if (result.code === 0) return;
  throw new TaskFailure(`no copy of the present k3s could be made in ${backup.dir}: ${result.stderr.trim()}`, {
    code: 'backup-failed',
    hint: 'the previous binary is kept for a rollback; is there room for it?',
  });
}

/** Says that the installation was looked at, well or not: a next run takes the files as they are. */
export async function endInstallation(target: WriteTarget, backup: K3sBackup): Promise<void> {
  await target.run(`rm -f ${quote(`${backup.dir}/${MARK}`)}`);
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

/**
 * What of the copies is still to be put back. `copy`: there is none of the binary. `none`: the files are those that were
 * copied. `restarted`: as `none`, and k3s was started after they came there and is up, so that it runs from them.
 */
export async function leftToRestore(
  target: ReadTarget,
  backup: K3sBackup,
): Promise<'files' | 'copy' | 'none' | 'restarted'> {
  const { binary, unit, env } = copiesOf(backup);
  const all = [binary, unit, env].flatMap((one) => (one ? [one] : []));
  const same = all.map(({ original, copy }) => `cmp -s ${quote(copy)} ${quote(original)}`);
  if (!backup.hadEnv) same.push(`[ ! -e ${quote(`${backup.places.systemd_dir}/${backup.unit}.service.env`)} ]`);
  const result = await target.read(`
[ -e ${quote(binary?.copy ?? '')} ] || { echo copy; exit; }
[ ! -f ${quote(`${backup.dir}/${MARK}`)} ] && ${same.join(' && ')} || { echo files; exit; }
[ "$(systemctl show -p ActiveState -- ${quote(`${backup.unit}.service`)} 2>/dev/null)" = ActiveState=active ] || { echo none; exit; }
t=$(systemctl show -p ExecMainStartTimestamp -- ${quote(`${backup.unit}.service`)} 2>/dev/null)
t=\${t#*=}
started=$(date -d "\${t#* }" +%s 2>/dev/null) || started=
# The time of the last change of the inode: the copies kept the times of their content.
for c in $(stat -c %Z ${all.map(({ original }) => quote(original)).join(' ')} 2>/dev/null); do
  [ -n "$started" ] && [ "$started" -gt "$c" ] || { echo none; exit; }
done
echo restarted`);
  const said = result.stdout.trim();
  return said === 'none' || said === 'restarted' || said === 'copy' ? said : 'files';
}

/** What was wrong with putting the files back; undefined when all is as it was. */
export async function restoreBackup(target: WriteTarget, backup: K3sBackup): Promise<string | undefined> {
  const result = await target.run(restoreScript(backup));
  return result.code === 0 ? undefined : result.stdout.trim() || `exit code ${result.code}`;
}
