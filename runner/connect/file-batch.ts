import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import type { BatchFile, RunResult } from '../module.ts';
import { checkFileResult, type FileScript, FUNCTIONS, fileChanged, REFUSED, writeFileScript } from './files.ts';
import { quotePath, quoteValue } from './quote.ts';

/*
 * Many small files in one script: a process for each would take nine tenths of the time. Contents are printed by the shell
 * itself, owner and mode are set for all at once, and so are the copies that are kept and their check.
 */

/** Characters of one script; its text is in the target's memory a few times. */
const SCRIPT_LIMIT = 65_536;
/** A file above this is written by itself: what it costs is its content. */
const CONTENT_LIMIT = 16_384;
/** Bytes of a name, which gets a few more while the file is written beside its place. */
const NAME_LIMIT = 200;
/** What a file adds to the script beside its content: its name some times, and the words around it. */
const NAMED = 6;
const WORDS = 60;

/*
 * A rename is a process a file, unless many keep their names: then they are written into a folder of reeve's own and moved
 * together, where that is the same (`reeve_fits`). It must not be a folder beside them: programs that watch a directory
 * with all below it (k3s its manifests) would find the half-written files there, while they pass over names with a dot.
 *
 * Variables: d directory, t what goes before a name while it is written, T set when that is the folder S, s where that
 * folder is made, i random name, k folder for copies, x sums that must be found.
 */
const BATCH = `reeve_group(){
if [ ! -d "$d/" ];then fail ${REFUSED.noParent} "$d is no directory";fi
T= t=$d/.reeve-$i-
if [ $2 -ge 16 ]&&reeve_fits $1;then T=y t=$S/$1/;fi
}
reeve_fits(){
if [ -g "$d" ]||[ -d /sys/fs/selinux ];then return 1;fi
if [ -z "$S" ];then mkdir -p "$s" 2>/dev/null&&mkdir "$s/staged.$i" 2>/dev/null||return 1;S=$s/staged.$i;fi
mkdir "$S/$1"||return 1
{ true >"$d/.reeve-$i";} 2>/dev/null||return 1
ln "$d/.reeve-$i" "$S/$1.same" 2>/dev/null||{ rm -f "$d/.reeve-$i";return 1;}
l=$(ls -ldn "$d/.reeve-$i")
rm -f "$d/.reeve-$i" "$S/$1.same"
set -- $l
[ "$1" = -rw------- ]&&[ "$3:$4" = "$reeve_own" ]
}
reeve_cannot(){ fail ${REFUSED.failed} "cannot write beside $d/$1";}
reeve_owner(){ w=$1;shift;if [ "$w" != "$reeve_own" ]||[ -g "$d" ];then chown "$w" "$@"||fail ${REFUSED.failed} "cannot set the owner of files in $d";fi;}
reeve_mode(){ chmod "$@"||fail ${REFUSED.failed} "cannot set the mode of files in $d";}
reeve_absent(){ for f;do if [ -e "$d/$f" ]||[ -L "$d/$f" ];then p=$d/\${f#./};reeve_changed;fi;done;}
reeve_sums(){ sha256sum "$@" 2>/dev/null||shasum -a 256 "$@" 2>/dev/null;}
reeve_keep(){
k=$1 x=$2 q=$d;shift 2
for f;do if [ -L "$d/$f" ]||[ ! -f "$d/$f" ];then p=$d/\${f#./};reeve_changed;fi;done
if [ "$k" ];then
reeve_room "$k"
(cd "$d"&&cp -p "$@" "$k/")||fail ${REFUSED.failed} "cannot keep copies of files in $d"
q=$k
fi
h=$(cd "$q"&&reeve_sums "$@")
if [ -z "$h" ]||[ "$h" = "$x" ];then return;fi
for f;do reeve_sum "$q/$f";case $x in *"$h  $f"*);;*)p=$d/\${f#./};reeve_changed;;esac;done
}
reeve_move(){
if [ "$T" ];then (cd "$t"&&mv -f "$@" "$d/")||fail ${REFUSED.failed} "cannot replace files in $d";return;fi
for f;do mv -f "$t\${f#./}" "$d/$f"||fail ${REFUSED.failed} "cannot replace $d/\${f#./}";done
}
`;

/** Scripts that write all the files, in their order; run one after another until one fails. */
export function batchScripts(files: readonly BatchFile[], stagingDir: string): (FileScript & { files: BatchFile[] })[] {
  return chunksOf(files).map((chunk) => {
    const [only] = chunk;
    if (chunk.length === 1) return { ...single(only!), files: chunk };
    return { script: batchScript(chunk, stagingDir), functions: FUNCTIONS + BATCH, files: chunk };
  });
}

/** Throws ReeveError `file-*` when one of these scripts failed. */
export function checkBatchResult(files: readonly BatchFile[], result: RunResult): void {
  const path = files.length === 1 ? files[0]!.path : `${files.length} files (${files[0]!.path} …)`;
  const changed = /^(.*) is not what it was$/m.exec(result.stderr)?.[1];
  if (result.code === REFUSED.stale && changed !== undefined) throw fileChanged(changed);
  checkFileResult(path, result);
}

function single({ path, content, options }: BatchFile): FileScript {
  const { copyAs } = options;
  return writeFileScript(
    { path, ...options, ...(copyAs === undefined ? {} : { backupDir: posix.dirname(copyAs) }) },
    content,
  );
}

function chunksOf(files: readonly BatchFile[]): BatchFile[][] {
  const chunks: BatchFile[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const file of files) {
    const cost = costOf(file);
    if (size + cost > SCRIPT_LIMIT) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(file);
    size += cost;
  }
  return chunks;
}

/** Characters of the script for a file; infinite for one that is to be written by itself. */
function costOf({ path, content, options }: BatchFile): number {
  const name = posix.basename(path);
  const byItself =
    content.length > CONTENT_LIMIT ||
    options.validate !== undefined ||
    !path.startsWith('/') ||
    Buffer.byteLength(name) > NAME_LIMIT ||
    // sha256sum writes these with escapes.
    /[\n\\]/.test(name);
  if (byItself) return Number.POSITIVE_INFINITY;
  return contentWord(content).length + posix.dirname(path).length + NAMED * name.length + WORDS;
}

function batchScript(files: readonly BatchFile[], stagingDir: string): string {
  const groups = new Map<string, BatchFile[]>();
  for (const file of files) {
    const folder = posix.dirname(file.path);
    groups.set(folder, [...(groups.get(folder) ?? []), file]);
  }
  const folders = [...groups.keys()].map(quotePath);
  const parts = [...groups.values()].map((group, index) => groupScript(group, index));
  return [
    // Its functions stop the script, which is a subshell; those of a single file leave the shell alive.
    `fail(){ printf '%s\\n' "$2" >&2;exit "$1";}`,
    `umask 077;i=${randomBytes(9).toString('hex')} s=${quotePath(stagingDir)} S=`,
    `reeve_clean(){ if [ "$S" ];then rm -rf "$S";fi;for d in ${folders.join(' ')};do rm -f "$d/.reeve-$i"*;done;}`,
    'trap reeve_clean EXIT',
    ...parts.map(({ write }) => write),
    ...parts.map(({ move }) => move),
    'trap - EXIT;if [ "$S" ];then rm -rf "$S";fi',
  ].join('\n');
}

function groupScript(group: readonly BatchFile[], index: number): { write: string; move: string } {
  const names = group.map(({ path }) => posix.basename(path));
  const temporary = (members: readonly number[]) => members.map((at) => `"$t"${quoteValue(names[at]!)}`).join(' ');
  const inPlace = (members: readonly number[]) => members.map((at) => quoteValue(`./${names[at]!}`)).join(' ');
  const all = group.map((_, at) => at);
  const place = `d=${quotePath(posix.dirname(group[0]!.path))}`;
  const contents = group.map(
    ({ content }, at) => `printf ${contentWord(content)} >${temporary([at])}||reeve_cannot ${quoteValue(names[at]!)}`,
  );
  const owners = by(all, (at) => ownerOf(group[at]!)).map(([who, members]) =>
    who ? `reeve_owner ${quoteValue(who)} ${temporary(members)}` : ':',
  );
  const modes = by(all, (at) => modeOf(group[at]!)).map(
    ([mode, members]) => `reeve_mode ${mode} ${temporary(members)}`,
  );
  const checks = by(all, (at) => checkOf(group[at]!)).map(([kept, members]) => {
    if (kept === 'absent') return `reeve_absent ${inPlace(members)}`;
    const sums = members.map((at) => `${sha256Of(group[at]!)}  ./${names[at]!}`).join('\n');
    return `reeve_keep ${kept ? quotePath(kept) : "''"} ${quoteValue(sums)} ${inPlace(members)}`;
  });
  // What was set for the first folder must be there again when its files are moved.
  const remember = `T${index}=$T t${index}=$t`;
  return {
    write: [`${place};reeve_group ${index} ${group.length};${remember}`, ...contents, ...owners, ...modes].join('\n'),
    move: [`${place} T=$T${index} t=$t${index}`, ...checks, `reeve_move ${inPlace(all)}`].join('\n'),
  };
}

/** Members that have the same, in their order. */
function by<T, K>(members: readonly T[], key: (member: T) => K): [K, T[]][] {
  const found = new Map<K, T[]>();
  for (const member of members) found.set(key(member), [...(found.get(key(member)) ?? []), member]);
  return [...found];
}

function ownerOf({ options }: BatchFile): string {
  const present = presentOf(options);
  const owner = options.owner ?? present?.owner ?? '';
  const group = options.group ?? present?.group ?? '';
  return group ? `${owner}:${group}` : owner;
}

function modeOf({ options }: BatchFile): string {
  return options.mode ?? presentOf(options)?.mode ?? '0644';
}

/** `absent`, or the folder for its copy; empty when none is kept. */
function checkOf({ options }: BatchFile): string {
  if (!presentOf(options)) return 'absent';
  return options.backup === false || options.copyAs === undefined ? '' : posix.dirname(options.copyAs);
}

function sha256Of({ options }: BatchFile): string {
  return presentOf(options)!.sha256;
}

function presentOf({ present }: BatchFile['options']) {
  return present === 'absent' ? undefined : present;
}

/** What printf is given: a text as it is, other bytes as octal in a format. */
function contentWord(content: Buffer): string {
  const text = content.toString();
  if (!content.includes(0) && Buffer.from(text).equals(content)) return `%s ${quoteValue(text)}`;
  // A dash in front would begin an option.
  const format = content.toString('latin1').replace(/^-|[^\n -~]|[%\\']/g, (char) => {
    if (char === '%') return '%%';
    return `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
  return `'${format}'`;
}
