/** Getting the install script and running it as a detached job. */
import { createHash } from 'node:crypto';
import { type ReadTarget, type RunResult, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { quote } from './quote.ts';

export interface InstallerSource {
  /** URL, or a path on the control machine. */
  script: string;
  /** `sha256:HEX` or `HEX`; undefined when it is not checked. */
  checksum?: string;
  download: 'control' | 'target';
}

/** What goes to the target: the text, or where the target gets it from. */
export interface Installer {
  text?: Buffer;
  url?: string;
  sha256?: string;
}

/** Downloads of this run by address, so that fifty hosts fetch the script once. */
const fetched = new Map<string, Promise<Buffer>>();

/** Throws TaskFailure `download-failed` or `checksum-mismatch`. */
export async function getInstaller(target: ReadTarget, source: InstallerSource): Promise<Installer> {
  const sha256 = source.checksum?.replace(/^sha256:/, '').toLowerCase();
  const remote = /^https?:\/\//.test(source.script);
  if (remote && source.download === 'target') return { url: source.script, ...(sha256 ? { sha256 } : {}) };
  const text = remote ? await fetchOnce(target, source.script) : (await target.source(source.script)).content;
  const found = createHash('sha256').update(text).digest('hex');
  if (sha256 && found !== sha256) {
    throw new TaskFailure(`${source.script} has the sha256 ${found}, not ${sha256}`, { code: 'checksum-mismatch' });
  }
  if (text.toString('latin1', 0, 2) !== '#!') {
    throw new TaskFailure(`${source.script} is no script: it does not begin with #!`, {
      code: 'download-failed',
      hint: 'a proxy or a login page may have answered instead',
    });
  }
  return { text, sha256: found };
}

async function fetchOnce(target: ReadTarget, url: string): Promise<Buffer> {
  const key = `${target.runId} ${url}`;
  let download = fetched.get(key);
  if (!download) {
    download = fetchScript(target, url);
    fetched.set(key, download);
    // A failed download must not be what the next host or the next try gets.
    download.catch(() => fetched.delete(key));
  }
  return download;
}

async function fetchScript(target: ReadTarget, url: string): Promise<Buffer> {
  const answer = await target.http({ url, timeout: 60_000 });
  if (answer.status === 200) return answer.body;
  throw new TaskFailure(`${url} answered ${answer.status}`, { code: 'download-failed' });
}

export interface InstallRun {
  installer: Installer;
  /** Directory that every installation on this host knows: two at once are refused. */
  lockDir: string;
  /** Arguments of the script: the role first. */
  argv: string[];
  env: Record<string, string>;
  /** milliseconds */
  timeout: number;
}

/** Runs it detached from the connection; its output is long and goes to the job's folder. */
export function runInstaller(target: WriteTarget, run: InstallRun): Promise<RunResult> {
  const { text, url, sha256 } = run.installer;
  // What a person exported in the shell of the target must not get into the unit.
  const unwanted = ['INSTALL_K3S_EXEC', 'K3S_URL', 'K3S_TOKEN', 'K3S_TOKEN_FILE'].filter((name) => !(name in run.env));
  const script = `
${unwanted.map((name) => `unset ${name}`).join('\n')}
umask 022
${lockLines(run.lockDir, run.timeout)}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir" "$lock"' EXIT
${text ? 'cat >"$dir/install.sh" || exit 1' : downloadLines(url ?? '', sha256)}
sh "$dir/install.sh" ${run.argv.map(quote).join(' ')} </dev/null`;
  return target.job({
    name: 'k3s-install',
    script,
    env: run.env,
    timeout: Math.min(run.timeout, target.remaining()),
    ...(text ? { stdin: text } : {}),
  });
}

/** Exit code of the job when another installation is at work. */
export const BUSY = 75;

/** Seconds to wait for another installation: most of those that a killed run left behind end within that. */
const LONGEST_WAIT = 60;

/**
 * An installation outlives the run that began it, so a next run may meet it. The lock is a file with the process and the
 * time it started at: neither a reboot nor another process of that number keeps it closed.
 * @param timeout of the installation, in milliseconds
 */
function lockLines(dir: string, timeout: number): string {
  const seconds = Math.min(LONGEST_WAIT, Math.floor(timeout / 2000));
  return `${busyLines(dir)}
mkdir -p ${quote(dir)}
waited=0
while busy && [ $waited -lt ${seconds} ]; do sleep 1; waited=$((waited + 1)); done
if busy; then
  echo "another installation is running on this host (process $pid)" >&2
  exit ${BUSY}
fi
echo "$$ $(started $$)" >"$lock"`;
}

function busyLines(dir: string): string {
  return `
started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
busy() { [ -f "$lock" ] && read -r pid since <"$lock" && [ -n "$since" ] && [ "$(started "$pid")" = "$since" ]; }
lock=${quote(`${dir}/installer`)}`;
}

/** Whether an installation is at work on the host: one that a run began which is gone. */
export async function isInstalling(target: ReadTarget, lockDir: string): Promise<boolean> {
  return (await target.read(`${busyLines(lockDir)}\nbusy`)).code === 0;
}

function downloadLines(url: string, sha256: string | undefined): string {
  const check = sha256
    ? `\n[ "$(sha256sum "$dir/install.sh" | sed 's/ .*//')" = ${sha256} ] || { echo 'the install script has another sha256' >&2; exit 1; }`
    : '';
  return `if command -v curl >/dev/null 2>&1; then curl -fsSL -o "$dir/install.sh" ${quote(url)} || exit 1
else wget -qO "$dir/install.sh" ${quote(url)} || exit 1; fi${check}`;
}
