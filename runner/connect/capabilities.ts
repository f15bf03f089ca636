import { ReeveError } from '../errors.ts';
import type { RunResult } from '../module.ts';
import type { Capabilities } from './types.ts';

/** What reeve's own scripts call on a target; all are POSIX, or in busybox and coreutils alike. */
const APPLETS = ['cat', 'chmod', 'chown', 'cp', 'dd', 'id', 'ln', 'ls', 'mkdir', 'mv', 'rm', 'tail', 'uname'];

/** One round trip; `command -v` is built in, so few of the lines fork. */
export const capabilitiesScript = `
has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s=%s\\n' "$1" "$2"; }
for p in setsid nohup mktemp readlink base64; do if has $p; then say $p yes; fi; done
for p in sha256sum shasum openssl; do if has $p; then say sha256 $p; break; fi; done
if [ "$(printf xy | dd bs=2 count=1 iflag=fullblock 2>/dev/null)" = xy ]; then say fullblock yes; fi
if stat -c %a / >/dev/null 2>&1; then say stat gnu; elif stat -f %Lp / >/dev/null 2>&1; then say stat bsd; fi
for p in ${APPLETS.join(' ')}; do if has $p; then :; else say missing $p; fi; done
say kernel "$(uname -s)"
say uid "$(id -u)"
if read -r b </proc/sys/kernel/random/boot_id; then say boot "$b"; fi 2>/dev/null
:`;

/** Reads what `capabilitiesScript` printed. */
export function readCapabilities(result: RunResult): Capabilities {
  if (result.code !== 0) {
    throw new ReeveError('probe-failed', `the target could not be asked what it has: ${result.stderr.trim()}`);
  }
  const found = new Map<string, string>();
  const missing: string[] = [];
  for (const line of result.stdout.split('\n')) {
    const [name = '', value = ''] = line.split('=');
    if (name === 'missing') missing.push(value);
    else found.set(name, value);
  }
  const yes = (name: string) => found.get(name) === 'yes';
  return {
    fullblock: yes('fullblock'),
    setsid: yes('setsid'),
    nohup: yes('nohup'),
    mktemp: yes('mktemp'),
    readlink: yes('readlink'),
    base64: yes('base64'),
    stat: (found.get('stat') as 'gnu' | 'bsd' | undefined) ?? 'none',
    sha256: (found.get('sha256') as 'sha256sum' | 'shasum' | 'openssl' | undefined) ?? 'none',
    missing,
    kernel: found.get('kernel') ?? '',
    uid: Number(found.get('uid')),
    bootId: found.get('boot') ?? '',
  };
}
