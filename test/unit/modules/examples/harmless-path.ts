import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findProgram } from '../../../lab/hosts/shells.ts';
import type { ShellName } from '../../../lab/hosts/types.ts';

/**
 * Programs that touch nothing but what they are given. Examples run as root in some places: useradd, apt-get or mount
 * must not be found unless the table of needs puts a stand-in in their place.
 */
const HARMLESS = `
  [ awk base64 basename bash bunzip2 bzip2 cat chgrp chmod chown cksum cmp comm cp curl cut date dd df diff dirname du echo env
  expr false find fold getconf getent grep gunzip gzip head hostname id install ip join kill ln ls md5sum mkdir mkfifo mktemp mv
  nc nl nohup nproc od paste printf ps pwd readlink realpath rev rm rmdir sed seq setsid sh sha1sum sha256sum sha512sum
  sleep sort split stat stty sum sync tac tail tar tee test timeout touch tr true uname uniq unxz unzip uptime wc wget
  whoami xargs xz zcat`
  .trim()
  .split(/\s+/);

const folders = new Map<string, string>();

afterAll(() => {
  for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true });
});

/** A folder with links to the harmless programs of this machine, for busybox to its applets; made once a test file. */
export function harmlessPath(shell: ShellName): string {
  const kind = shell === 'busybox' ? 'busybox' : 'machine';
  let folder = folders.get(kind);
  if (!folder) {
    folder = mkdtempSync(join(tmpdir(), 'reeve-harmless-'));
    folders.set(kind, folder);
    for (const name of HARMLESS) {
      const program = findProgram(kind === 'busybox' && !['bash', 'curl'].includes(name) ? 'busybox' : name);
      if (program) symlinkSync(program, join(folder, name));
    }
  }
  return folder;
}

/**
 * What a script for busybox begins with: Debian's static build prefers its applets to PATH, so that those which are not
 * harmless are put out of reach by functions, which lead to the stand-in in `bin` where there is one.
 */
export function appletGuard(shell: ShellName, bin: string): string {
  if (shell !== 'busybox') return '';
  return applets()
    .map((name) => {
      const standIn = join(bin, name);
      return existsSync(standIn) ? `${name}() { '${standIn}' "$@"; }\n` : `${name}() { return 127; }\n`;
    })
    .join('');
}

let harmful: string[] | undefined;

function applets(): string[] {
  harmful ??= spawnSync('busybox', ['--list'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((name) => /^[a-z][a-z0-9_]*$/.test(name) && !HARMLESS.includes(name));
  return harmful;
}
