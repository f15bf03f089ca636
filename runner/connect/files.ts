import { randomBytes } from 'node:crypto';
import { ReeveError } from '../errors.ts';
import type { FileUndo, RunResult, WriteFileOptions } from '../module.ts';
import { quotePath, quoteWord, safePath } from './quote.ts';

/*
 * Scripts that read and write files on a target, one round trip each. They are for direct requests. The content of a file
 * is the script's standard input or output, so every byte is safe, and every name is quoted.
 */

/** Exit codes by which a script says what went wrong; chosen above what the programs in it use. */
const REFUSED = { directory: 81, noParent: 82, invalid: 83, failed: 84, special: 85, absent: 86, changed: 87 } as const;

export interface WriteFileRequest extends Omit<WriteFileOptions, 'backup'> {
  path: string;
  /** Folder on the target (made with mode 0700) that keeps a copy of the present file; none is kept without it. */
  backupDir?: string;
}

/** Follows links to the file that is meant: writing through a link must not replace the link. */
const RESOLVE = `
fail() { printf '%s\\n' "$2" >&2; exit "$1"; }
links=0
while [ -L "$p" ]; do
  links=$((links+1))
  if [ $links -gt 40 ]; then fail ${REFUSED.failed} "too many links: $p"; fi
  l=$(readlink "$p" && printf .) || fail ${REFUSED.failed} "cannot follow the link $p"
  l=\${l%??}
  case $l in /*) p=$l;; *) p=\${p%/*}/$l;; esac
done
if [ -d "$p" ]; then fail ${REFUSED.directory} "$p is a directory"; fi
d=\${p%/*}
if [ ! -d "$d/" ]; then fail ${REFUSED.noParent} "$d is no directory"; fi
if [ -e "$p" ] && [ ! -f "$p" ]; then fail ${REFUSED.special} "$p is no regular file"; fi`;

const HASH = `
hash() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 <"$1"
  elif command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r <"$1"
  fi
}`;

/** Owner and mode as numbers, by GNU or busybox stat, else BSD's; empty where there is none. */
const STAT = `
facts() { stat -c '%a %u %g' "$1" 2>/dev/null || stat -f '%Mp%Lp %u %g' "$1" 2>/dev/null; }`;

/**
 * Replaces a file in one step: a temporary file beside it gets the content (stdin), owner and mode, then takes its name.
 * Prints what `writtenFile` reads. The present owner and mode are kept where none are given; a new file is 0644.
 */
export function writeFileScript(request: WriteFileRequest): { script: string } {
  const { path, mode, owner, group, backupDir, validate } = request;
  const id = randomBytes(9).toString('hex');
  return {
    script: [
      `umask 077\np=${quoteWord(safePath(path))}`,
      RESOLVE,
      HASH,
      STAT,
      `t=$d/.reeve-${id}\ntrap 'rm -f "$t"' EXIT`,
      `m=0644 o= g=
if [ -e "$p" ]; then
  set -- $(facts "$p")
  if [ $# = 3 ]; then m=$1 o=$2 g=$3; printf 'old %s %s %s\\n' "$@"; else m=; cp -p "$p" "$t" || fail ${REFUSED.failed} "cannot copy $p"; fi`,
      backupDir === undefined ? ':' : backupLines(backupDir, id),
      'fi',
      `cat >"$t" || fail ${REFUSED.failed} "cannot write beside $p"`,
      owner === undefined ? '' : `o=${quoteWord(owner)}`,
      group === undefined ? '' : `g=${quoteWord(group)}`,
      mode === undefined ? '' : `m=${quoteWord(mode)}`,
      `if [ -n "$o$g" ]; then chown "$o\${g:+:$g}" "$t" || fail ${REFUSED.failed} "cannot set the owner of $p"; fi
if [ -n "$m" ]; then chmod "$m" "$t" || fail ${REFUSED.failed} "cannot set the mode of $p"; fi`,
      validate === undefined ? '' : validateLines(validate),
      `mv -f "$t" "$p" || fail ${REFUSED.failed} "cannot replace $p"\ntrap - EXIT`,
    ].join('\n'),
  };
}

function backupLines(backupDir: string, id: string): string {
  return `
  b=${quotePath(backupDir)}
  mkdir -p "$b" && chmod 700 "$b" || fail ${REFUSED.failed} "cannot make $b"
  b=$b/${id}
  cp -p "$p" "$b" || fail ${REFUSED.failed} "cannot keep a copy of $p"
  set -- $(hash "$b")
  printf 'backup %s\\n' ${id}
  printf 'sha256 %s\\n' "$1"`;
}

function validateLines(command: string): string {
  const text = command.replaceAll('%s', '"$t"');
  return `( eval ${quoteWord(text)} ) </dev/null >&2 || fail ${REFUSED.invalid} "the new content of $p was refused"`;
}

/** What `writeFileScript` left, as undo needs it. Throws ReeveError `file-*`. */
export function writtenFile(request: WriteFileRequest, result: RunResult): FileUndo {
  checkFileResult(request.path, result);
  const undo: FileUndo = { path: request.path };
  for (const line of result.stdout.split('\n')) {
    const [word, ...rest] = line.split(' ');
    if (word === 'old') [undo.mode, undo.owner, undo.group] = rest as [string, string, string];
    else if (word === 'backup') undo.backup = `${request.backupDir}/${rest[0]}`;
    else if (word === 'sha256' && rest[0]) undo.sha256 = rest[0];
  }
  if (undo.mode !== undefined) undo.mode = undo.mode.padStart(4, '0');
  return undo;
}

/** Puts a file back as `undo` says: the kept copy, or no file at all. The copy stays. Doing it twice is harmless. */
export function restoreFileScript(undo: FileUndo): string {
  const head = `umask 077\np=${quoteWord(safePath(undo.path))}${RESOLVE}`;
  if (undo.backup === undefined) return `${head}\nrm -f "$p" || fail ${REFUSED.failed} "cannot remove $p"`;
  const owner = `${undo.owner ?? ''}${undo.group === undefined ? '' : `:${undo.group}`}`;
  return [
    head,
    HASH,
    `b=${quotePath(undo.backup)}`,
    `if [ ! -f "$b" ]; then fail ${REFUSED.absent} "the kept copy $b is gone"; fi`,
    undo.sha256 === undefined
      ? ''
      : `set -- $(hash "$b")\nif [ $# -gt 0 ] && [ "$1" != ${undo.sha256} ]; then fail ${REFUSED.changed} "the kept copy $b was changed"; fi`,
    `t=$d/.reeve-${randomBytes(9).toString('hex')}\ntrap 'rm -f "$t"' EXIT`,
    `cp -p "$b" "$t" || fail ${REFUSED.failed} "cannot write beside $p"`,
    owner ? `chown ${quoteWord(owner)} "$t" || fail ${REFUSED.failed} "cannot set the owner of $p"` : '',
    undo.mode === undefined
      ? ''
      : `chmod ${quoteWord(undo.mode)} "$t" || fail ${REFUSED.failed} "cannot set the mode of $p"`,
    `mv -f "$t" "$p" || fail ${REFUSED.failed} "cannot replace $p"\ntrap - EXIT`,
  ].join('\n');
}

/** Prints the bytes of a file. */
export function readFileScript(path: string): string {
  return `p=${quoteWord(safePath(path))}
if [ -d "$p" ]; then printf '%s is a directory\\n' "$p" >&2; exit ${REFUSED.directory}; fi
if [ ! -e "$p" ]; then exit ${REFUSED.absent}; fi
exec cat "$p"`;
}

/** The bytes that `readFileScript` printed; undefined when there is no such file. Throws ReeveError `file-*`. */
export function readFileResult(path: string, result: RunResult): Buffer | undefined {
  if (result.code === REFUSED.absent) return undefined;
  checkFileResult(path, result);
  return result.raw.stdout;
}

/** Throws ReeveError `file-*` when one of these scripts failed. */
export function checkFileResult(path: string, result: RunResult): void {
  if (result.timedOut) throw fileError('file-timeout', `${path}: the time limit was reached`);
  if (result.code === 0) return;
  const said = result.stderr.trim();
  switch (result.code) {
    case REFUSED.directory:
      throw fileError('file-is-directory', `${path} is a directory, not a file`, 'Name the file inside it.');
    case REFUSED.noParent:
      throw fileError(
        'file-no-parent',
        `${path}: ${said}`,
        'Make the directory first (module `file`, state: directory).',
      );
    case REFUSED.special:
      throw fileError('file-special', `${path} is a device, pipe or socket, not a regular file`);
    case REFUSED.invalid:
      throw fileError(
        'file-refused',
        `${path} was left as it is: ${said}`,
        'The command in `validate` did not accept it.',
      );
    case REFUSED.changed:
      throw fileError('file-backup-changed', `${path}: ${said}`, 'Look at both before you put anything back.');
    default: {
      const hint = /permission|not permitted/i.test(said) ? 'Does this task need become?' : undefined;
      throw fileError('file-failed', `${path}: ${said || `the script ended with code ${result.code}`}`, hint);
    }
  }
}

function fileError(code: string, message: string, hint?: string): ReeveError {
  return new ReeveError(code, message, { hint, exitCode: 2 });
}
