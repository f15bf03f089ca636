import type { Capabilities } from '../../connect/types.ts';
import type { RunResult } from '../../module.ts';
import type { Findings } from './finding.ts';

/** How a host is asked, as the user that tasks run as. */
export interface HostProbe {
  ask(script: string): Promise<RunResult>;
  capabilities(): Promise<Capabilities>;
  stateDir: string;
}

/** Free space below which backups and jobs may fail, in KiB. */
const LITTLE_SPACE = 100 * 1024;
/** Differences of clocks in seconds: TLS, leases and logs suffer. */
const NOTABLE_SKEW = 3;
const BAD_SKEW = 60;

/** The programs that reeve's own scripts call. Python is not among them. */
export async function checkPrograms(findings: Findings, probe: HostProbe): Promise<void> {
  const has = await probe.capabilities();
  const missing = [...has.missing];
  if (has.sha256 === 'none') missing.push('sha256sum');
  if (has.stat === 'none') missing.push('stat');
  if (missing.length > 0) {
    findings.error('programs', `missing: ${missing.join(', ')}`, 'install coreutils or busybox on the host');
  }
  if (!has.setsid) {
    findings.warning(
      'programs',
      'setsid is missing: a command that passes its time limit may leave processes behind',
      'install util-linux or busybox on the host',
    );
  }
  if (missing.length === 0 && has.setsid) findings.ok('programs', `${has.kernel}, all that is needed is there`);
}

/** `_d` is the nearest folder above the state directory that exists already. */
const placeScript = (dir: string) => `
_d=${quoted(dir)}
while [ ! -d "$_d" ] && [ -n "$_d" ]; do _d=\${_d%/*}; done
_d=\${_d:-/}
if [ -w "$_d" ]; then echo yes; else echo no; fi
printf '%s\\n' "$_d"
df -Pk "$_d" 2>/dev/null | tail -n 1
`;

/** Where backups and detached jobs live: writable, and with room. */
export async function checkPlace(findings: Findings, probe: HostProbe): Promise<void> {
  const { stateDir } = probe;
  const [writable, folder = '', usage = ''] = (await probe.ask(placeScript(stateDir))).stdout.split('\n');
  if (writable !== 'yes') {
    findings.error(
      'state-dir',
      `${stateDir} cannot be written: ${folder} is not writable for the user that tasks run as`,
      'set `become: true`, or the variable `reeve_dir` to a folder of that user',
    );
    return;
  }
  const free = Number(usage.trim().split(/\s+/)[3]);
  const where = folder === stateDir ? stateDir : `${stateDir} (made when needed)`;
  if (!Number.isFinite(free)) findings.ok('state-dir', `${where} is writable`);
  else if (free < LITTLE_SPACE) {
    const text = `${where} has ${shownSize(free)} left; backups and downloads need some`;
    findings.warning('state-dir', text, `free some space on the file system of ${folder}`);
  } else findings.ok('state-dir', `${where} is writable, ${shownSize(free)} free`);
}

/**
 * The host's clock against ours: what it says is compared with the middle of the round trip. Its answer is in whole
 * seconds, so up to one second is no finding.
 */
export async function checkClock(findings: Findings, probe: HostProbe): Promise<void> {
  const before = Date.now();
  const answer = await probe.ask('date +%s');
  const after = Date.now();
  const theirs = Number(answer.stdout.trim());
  if (answer.code !== 0 || !Number.isFinite(theirs)) {
    findings.warning('clock', 'the host does not say what time it is');
    return;
  }
  const skew = skewOf(theirs, before, after);
  const text = `${Math.abs(skew).toFixed(1)} s ${skew > 0 ? 'ahead of' : 'behind'} this machine`;
  const fix = 'switch time synchronisation on: timedatectl set-ntp true (or chrony, or ntpd)';
  if (Math.abs(skew) >= BAD_SKEW) findings.error('clock', text, fix);
  else if (Math.abs(skew) >= NOTABLE_SKEW) findings.warning('clock', text, fix);
  else findings.ok('clock', 'agrees with this machine');
}

/** Seconds that a clock which says `theirs` (whole seconds) is ahead; `before` and `after` are ours in milliseconds. */
export function skewOf(theirs: number, before: number, after: number): number {
  const ours = (before + after) / 2_000;
  const least = theirs - ours;
  // The true second may be anything up to one later than what was printed.
  if (least >= 0) return least;
  return Math.min(0, least + 1);
}

function shownSize(kib: number): string {
  const mib = kib / 1024;
  return mib < 1024 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
