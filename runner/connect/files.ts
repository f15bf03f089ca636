import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { ReeveError } from '../errors.ts';
import type { FileUndo, RunResult, WriteFileOptions } from '../module.ts';
import { quotePath, quoteValue, quoteWord, safePath } from './quote.ts';

/*
 * Scripts that read and write files on a target, one round trip each. Those that write run in the shell itself:
 * it has a clean-up, should it be ended. The content of a file
 * is the script's standard input or output, or a quoted text in it, so every byte is safe, and every name is quoted.
 */

/** Exit codes by which a script says what went wrong; chosen above what the programs in it use. */
export const REFUSED = {
  directory: 81,
  noParent: 82,
  invalid: 83,
  failed: 84,
  special: 85,
  absent: 86,
  changed: 87,
  stale: 88,
} as const;

export interface WriteFileRequest extends Omit<WriteFileOptions, 'backup'> {
  path: string;
  /** Folder on the target (made with mode 0700) that keeps a copy of the present file; none is kept without it. */
  backupDir?: string;
}

/** A script and what it is run with. */
export interface FileScript {
  script: string;
  stdin?: Uint8Array;
  functions: string;
  inShell?: true;
}

/** A text up to this many bytes is a part of the script: no file in between, no process that copies it. */
const TEXT_LIMIT = 32_768;

/**
 * Copies are kept this long: the first copy of a run removes the folders of older ones. Only folders whose name is that of a
 * run, since whoever sets `reeve_dir` may have others beside them.
 */
const KEPT_DAYS = 90;
const RUN_FOLDER = `${'[0-9]'.repeat(8)}-${'[0-9]'.repeat(9)}-${'[0-9a-f]'.repeat(6)}`;

/*
 * What the scripts below call; a shell is given them once. A new file of a few lines costs two processes (chmod, mv) where
 * it took nine; a changed one four (cp and sha256sum of what is kept too). They never exit, since they run in the shell
 * itself, which spares the fork of a subshell.
 *
 * `reeve_find` follows links to the file that is meant: writing through a link must not replace the link. `reeve_begin`
 * keeps what is there, `reeve_end` puts the temporary file in its place, `reeve_after` leaves nothing of it behind. They
 * share the variables that the script sets: p path, i random name, c name of the copy that is kept, m o g mode, owner and
 * group wanted, b folder for backups, x content that must be there, M O G mode, owner and group as they are. `_y` is the
 * temporary file while there is one: a shell that is ended removes it (prelude.ts).
 */
export const FUNCTIONS = `[ "$reeve_id" ]||reeve_id=$(umask;id)
reeve_own=\${reeve_id#*gid=} reeve_own=\${reeve_own%%[!0-9]*} reeve_u=\${reeve_id#*uid=} reeve_own=\${reeve_u%%[!0-9]*}:$reeve_own
fail(){ printf '%s\\n' "$2" >&2;return "$1";}
reeve_find(){
n=0
while [ -L "$p" ];do
n=$((n+1));if [ $n -gt 40 ];then fail ${REFUSED.failed} "too many links: $p";return;fi
l=$(readlink "$p"&&printf .)||{ fail ${REFUSED.failed} "cannot follow the link $p";return;}
l=\${l%??};case $l in /*)p=$l;;*)p=\${p%/*}/$l;;esac
done
if [ -d "$p" ];then fail ${REFUSED.directory} "$p is a directory";return;fi
d=\${p%/*}
if [ ! -d "$d/" ];then fail ${REFUSED.noParent} "$d is no directory";return;fi
if [ -e "$p" ]&&[ ! -f "$p" ];then fail ${REFUSED.special} "$p is no regular file";fi
}
reeve_sum(){ h=$(sha256sum <"$1" 2>/dev/null)||h=$(shasum -a 256 <"$1" 2>/dev/null)||h=$(openssl dgst -sha256 -r <"$1" 2>/dev/null);h=\${h%% *};}
reeve_room(){
if [ -d "$1" ];then if [ ! -O "$1" ];then chmod 700 "$1"||fail ${REFUSED.failed} "$1 belongs to somebody else";fi;return;fi
case \${1##*/} in ${RUN_FOLDER})r=$1;;*)r=\${1%/*};;esac
if [ ! -d "$r" ];then find "\${r%/*}" -maxdepth 1 -type d -name '${RUN_FOLDER}' -mtime +${KEPT_DAYS} -exec rm -rf {} + 2>/dev/null;fi
mkdir -p -m 700 "$1"||fail ${REFUSED.failed} "cannot make $1"
}
reeve_changed(){ fail ${REFUSED.stale} "$p is not what it was";}
reeve_begin(){
reeve_find||return
t=$d/.reeve-$i _y=$d/.reeve-$i
if [ ! -e "$p" ];then if [ "$x" ]&&[ "$x" != absent ];then reeve_changed;return;fi;M=0644 O= G=;return 0;fi
if [ "$x" = absent ];then reeve_changed;return;fi
if [ -z "$x" ];then
set -- $(stat -c '%a %u %g' "$p" 2>/dev/null||stat -f '%Mp%Lp %u %g' "$p" 2>/dev/null)
if [ $# = 3 ];then M=$1 O=$2 G=$3;else M=;cp -p "$p" "$t"||{ fail ${REFUSED.failed} "cannot copy $p";return;};fi
fi
if [ "$M" ];then printf 'old %s %s %s\\n' "$M" "$O" "$G";fi
if [ "$b" ];then
reeve_room "$b"||return
cp -p "$p" "$b/$c"||{ fail ${REFUSED.failed} "cannot keep a copy of $p";return;}
reeve_sum "$b/$c"
if [ "$x" ]&&[ "$h" ]&&[ "$h" != "$x" ];then rm -f "$b/$c";reeve_changed;return;fi
printf 'backup %s\\nsha256 %s\\n' "$c" "$h"
elif [ "$x" ];then reeve_sum "$p";if [ "$h" ]&&[ "$h" != "$x" ];then reeve_changed;fi
fi
}
reeve_end(){
O=\${o:-$O} G=\${g:-$G} M=\${m:-$M}
if [ "$O$G" ];then if [ "$O:$G" != "$reeve_own" ]||[ -g "$d" ];then chown "$O\${G:+:$G}" "$t"||{ fail ${REFUSED.failed} "cannot set the owner of $p";return;};fi;fi
if [ "$M" ];then chmod "$M" "$t"||{ fail ${REFUSED.failed} "cannot set the mode of $p";return;};fi
if [ "$1" ];then (eval "$1")</dev/null >&2||{ fail ${REFUSED.invalid} "the new content of $p was refused";return;};fi
mv -f "$t" "$p"||{ fail ${REFUSED.failed} "cannot replace $p";return;}
_y=
}
reeve_after(){
if [ "$_y" ];then rm -f "$_y";fi
umask 022
unset _y r n l d h t p b i c m o g x M O G
return $1
}
`;

/** How every script here begins; what it makes is for nobody else until it has its mode. */
const begin = (path: string) => `umask 077;p=${quoteWord(safePath(path))} _y= `;

/**
 * Replaces a file in one step: a temporary file beside it gets the content, owner and mode, then takes its name. Prints
 * what `writtenFile` reads. The present owner and mode are kept where none are given; a new file is 0644.
 */
export function writeFileScript(request: WriteFileRequest, content: Uint8Array | string): FileScript {
  const { path, mode, owner, group, validate, present } = request;
  const backupDir = backupDirOf(request);
  const bytes = Buffer.from(content as Uint8Array);
  const text = asText(bytes);
  const known = typeof present === 'object' ? present : undefined;
  const random = randomBytes(9).toString('hex');
  const variables = {
    i: random,
    c: request.copyAs === undefined ? random : posix.basename(request.copyAs),
    m: mode ?? '',
    o: owner ?? '',
    g: group ?? '',
    x: known?.sha256 ?? present ?? '',
    M: known?.mode ?? '',
    O: known?.owner ?? '',
    G: known?.group ?? '',
  };
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value && quoteWord(String(value))}`);
  const put = `{ ${text === undefined ? 'cat' : `printf %s ${quoteValue(text)}`} >"$t"||fail ${REFUSED.failed} "cannot write beside $p";}`;
  const last = `reeve_end ${validate === undefined ? "''" : quoteValue(validate.replaceAll('%s', '"$t"'))}`;
  const script = [
    `${begin(path)}b=${backupDir === undefined ? '' : quotePath(backupDir)} ${set.join(' ')}`,
    `reeve_begin&&${put}&&${last};reeve_after $?`,
  ].join('\n');
  return { script, functions: FUNCTIONS, inShell: true, ...(text === undefined && { stdin: bytes }) };
}

function backupDirOf({ backupDir, copyAs }: WriteFileRequest): string | undefined {
  return backupDir === undefined || copyAs === undefined ? backupDir : posix.dirname(copyAs);
}

/** The bytes as a text that a shell script can hold; undefined when they are none, or many. */
function asText(bytes: Buffer): string | undefined {
  if (bytes.length > TEXT_LIMIT || bytes.includes(0)) return undefined;
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

/** What `writeFileScript` left, as undo needs it. Throws ReeveError `file-*`. */
export function writtenFile(request: WriteFileRequest, result: RunResult): FileUndo {
  checkFileResult(request.path, result);
  const undo: FileUndo = { path: request.path };
  for (const line of result.stdout.split('\n')) {
    const [word, ...rest] = line.split(' ');
    if (word === 'old') [undo.mode, undo.owner, undo.group] = rest as [string, string, string];
    else if (word === 'backup') undo.backup = `${backupDirOf(request)}/${rest[0]}`;
    else if (word === 'sha256' && rest[0]) undo.sha256 = rest[0];
  }
  if (undo.mode !== undefined) undo.mode = undo.mode.padStart(4, '0');
  return undo;
}

/** Puts a file back as `undo` says: the kept copy, or no file at all. The copy stays. Doing it twice is harmless. */
export function restoreFileScript(undo: FileUndo): FileScript {
  const steps = [
    'reeve_find',
    ...(undo.backup === undefined ? [orFail('rm -f "$p"', 'cannot remove $p')] : back(undo)),
  ];
  const script = `${begin(undo.path)}b=${undo.backup === undefined ? '' : quotePath(undo.backup)}\n${steps.join('&&')};reeve_after $?`;
  return { script, functions: FUNCTIONS, inShell: true };
}

function back({ sha256, owner, group, mode }: FileUndo): string[] {
  const owners = `${owner ?? ''}${group === undefined ? '' : `:${group}`}`;
  return [
    `{ [ -f "$b" ]||fail ${REFUSED.absent} "the kept copy $b is gone";}`,
    ...(sha256 === undefined
      ? []
      : [
          `reeve_sum "$b"&&{ [ -z "$h" ]||[ "$h" = ${sha256} ]||fail ${REFUSED.changed} "the kept copy $b was changed";}`,
        ]),
    `t=$d/.reeve-${randomBytes(9).toString('hex')}&&_y=$t`,
    orFail('cp -p "$b" "$t"', 'cannot write beside $p'),
    ...(owners ? [orFail(`chown ${quoteWord(owners)} "$t"`, 'cannot set the owner of $p')] : []),
    ...(mode === undefined ? [] : [orFail(`chmod ${quoteWord(mode)} "$t"`, 'cannot set the mode of $p')]),
    orFail('mv -f "$t" "$p"', 'cannot replace $p'),
    '_y=',
  ];
}

function orFail(command: string, otherwise: string): string {
  return `{ ${command}||fail ${REFUSED.failed} "${otherwise}";}`;
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
    case REFUSED.stale:
      throw fileChanged(path);
    case REFUSED.changed:
      throw fileError('file-backup-changed', `${path}: ${said}`, 'Look at both before you put anything back.');
    default: {
      throw fileError('file-failed', `${path}: ${said || `the script ended with code ${result.code}`}`, hintFor(said));
    }
  }
}

function hintFor(said: string): string | undefined {
  if (/permission|not permitted/i.test(said)) return 'Does this task need become?';
  // A container's /etc/hosts and /etc/resolv.conf are.
  if (/busy/i.test(said))
    return 'It is a mount of its own, which no file can take the place of: write where it comes from.';
  return undefined;
}

export function fileChanged(path: string): ReeveError {
  return fileError('file-changed', `${path} is no longer what it was; it was left as it is`);
}

function fileError(code: string, message: string, hint?: string): ReeveError {
  return new ReeveError(code, message, { hint, exitCode: 2 });
}
