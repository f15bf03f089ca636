import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Programs put before the real ones on PATH, for shells of the local transport. */
export function standIns(programs: Record<string, string>): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-stand-ins-'));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}`);
    chmodSync(join(folder, name), 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = `${folder}:${before}`;
  return {
    folder,
    remove() {
      process.env.PATH = before;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * sudo as far as it matters here: -n refuses, -S asks up to three times with the prompt of -p, byte by byte from stdin.
 * The user is only reported, in BECAME.
 */
export const FAKE_SUDO = `
prompt='[sudo] password: ' ask=no
while [ $# -gt 0 ]; do
  case $1 in
    -n) ask=never;; -S) ask=yes;; -p) prompt=$2; shift;; -H) :;; -u) BECAME=$2; shift;;
    --) shift; break;;
    *) echo "usage: $1" >&2; exit 1;;
  esac
  shift
done
export BECAME
case $BECAME in
  free) exec "$@";;
esac
if [ $ask = never ]; then echo 'sudo: a password is required' >&2; exit 1; fi
echo 'We trust you have received the usual lecture.' >&2
for try in 1 2 3; do
  printf %s "$prompt" >&2
  IFS= read -r answer || exit 1
  if [ "$answer" = 'pass word$"' ]; then exec "$@"; fi
  echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2
exit 1
`;

export const FAKE_SU = `
export BECAME=$1
if [ "$2" != -c ]; then exit 9; fi
printf 'Password: ' >&2
IFS= read -r answer
if [ "$answer" != 'pass word$"' ]; then echo 'su: Authentication failure' >&2; exit 1; fi
exec sh -c "$3"
`;

export const FAKE_DOAS = `
if [ "$1" != -n ]; then exit 9; fi
export BECAME=$3
if [ "$BECAME" = closed ]; then echo 'doas: Operation not permitted' >&2; exit 1; fi
shift 4
exec "$@"
`;
