/** Looks at files of the target: any number of paths in one script, with their hash and content when asked for. */
import { type ReadTarget, TaskFailure } from '../../runner/module.ts';
import { withForeseen } from './foresee.ts';
import { quotePath } from './quote.ts';
import { type FileState, parseProbes } from './stat-parse.ts';

export { type Attributes, type FileState, parseAttributes, parseProbes } from './stat-parse.ts';

export interface Probe {
  path: string;
  /** False: the entry alone, not what a link leads to. */
  follow?: boolean;
  /** Read the SHA-256 of a regular file. */
  hash?: boolean;
  /**
   * Read the content of a regular file: always, or when its SHA-256 differs from the one wanted (and it is small). With
   * the wanted content's size in bytes, a few kilobytes are read rather than hashed there.
   */
  content?: 'always' | { unless: string; size?: number };
}

/** What a target needs, beside what POSIX has, for everything in this file and for writing. */
export const FILE_NEEDS: string[] = ['stat', 'sha256sum', 'head', 'readlink'];

/** Content up to this many bytes is read as it is: it costs no more than its hash does, and the diff has it at once. */
const SMALL = 8_192;
/**
 * Plain ASCII up to this many bytes is read by the shell itself, a byte a system call, where a program would cost a fork:
 * about 0.1 ms instead of 0.8. What a shell could change on the way (NUL, other bytes) makes the length or the characters
 * differ, and is left to the program.
 */
const BUILT_IN = 512;
/** Content above this many bytes is not read for a diff. */
export const DIFF_LIMIT = 512 * 1024;

// GNU and busybox take -c, BSD -f with other letters; the raw mode in hex is the one spelling of type and bits all share.
export const GNU = '-c %f:%s:%u:%g:%Y:%X:%h:%d:%i:%U:%G';
export const BSD = '-f %Xp:%z:%u:%g:%m:%a:%l:%d:%i:%Su:%Sg';

/** Shell text that sets `reeve_stat` to the arguments by which this target's stat prints what parseAttributes reads. */
export const FIND_STAT = `if stat ${GNU} / >/dev/null 2>&1; then reeve_stat='${GNU}'; else reeve_stat='${BSD}'; fi`;

/**
 * What the probes call; a shell is given it once. Each `$(…)` holds one plain command, which is one process: a function or
 * a pipe in it would be two or three, and a probe had eight where it has two or three now. Whoever probes is asked for
 * once, and a directory's own attributes only when it hands its group down.
 *
 * Fields end with NUL, since a path or a link's target may hold any other byte.
 */
const PROBE_FUNCTIONS = `reeve_id=$(umask;id)
reeve_nl='
'
reeve_probe(){
p=$1 s= l= t= h= n= a= d= u= w= e=
case $p in /*);;*)p=$PWD/\${p#./};;esac
if [ -e "$p" ]||[ -L "$p" ];then w=y;s=$(stat ${GNU} "$p" 2>/dev/null)||s=$(stat ${BSD} "$p" 2>/dev/null);fi
t=$s
if [ -L "$p" ];then l=$(readlink -n "$p";printf x);l=\${l%x} t=;if [ "$2" != entry ];then t=$(stat -L ${GNU} "$p" 2>/dev/null)||t=$(stat -L ${BSD} "$p" 2>/dev/null)||t=;fi;fi
if [ -f "$p" ]&&[ -r "$p" ];then
z=\${t#*:};z=\${z%%:*}
case $2 in no|entry);;small)if [ "$z" -gt ${SMALL} ];then reeve_hash;reeve_take;else n=$z;fi;;hash)reeve_hash;;always)n=$z;;
*)reeve_hash;if [ "$h" != "$2" ];then reeve_take;fi;;esac
fi
for f in r w x;do if [ -$f "$p" ];then a=$a$f;fi;done
if [ -z "$w" ]||{ [ -L "$p" ]&&[ -z "$t" ];};then
q=\${p%/*}/ u=$reeve_id
if [ -d "$q" ];then d=y;if [ -g "$q" ];then d=$(stat -L ${GNU} "$q" 2>/dev/null)||d=$(stat -L ${BSD} "$q" 2>/dev/null);fi;fi
e=\${p%/*};while [ -n "$e" ]&&[ ! -e "$e" ];do e=\${e%/*};done
if [ -d "$e" ];then if [ ! -x "$e" ];then a=denied;fi;elif [ "$e" ];then a=blocked;fi
fi
printf '%s\\000' F "$p" "$w" "$s" "$l" "$t" "$h" "$a" "$d" "$e" "$u" "$n"
if [ "$n" ];then if [ "$n" -gt 0 ];then reeve_text||head -c "$n" <"$p";fi;printf '\\000';fi
}
reeve_text(){
[ "$n" -le ${BUILT_IN} ]||return 1
c=;while IFS= read -r v;do c=$c$v$reeve_nl;done <"$p"
c=$c$v
case $c in *[!\\ -~\\\t$reeve_nl]*)return 1;;esac
[ \${#c} = "$n" ]&&printf %s "$c"
}
reeve_hash(){ h=$(sha256sum <"$p" 2>/dev/null)||h=$(shasum -a 256 <"$p" 2>/dev/null)||h=$(sha256 -q <"$p" 2>/dev/null)||h=$(openssl dgst -sha256 -r <"$p");h=\${h%% *};}
reeve_take(){ if [ "$z" -le ${DIFF_LIMIT} ];then n=$z;fi;}
`;

/** In the shell itself nothing of a probe must stay for the scripts after it. */
const FORGET = 'unset a c d e f h l n p q s t u v w z';

/** A script of reeve's own, and the functions it calls. */
export interface ProbeScript {
  script: string;
  options: { functions: string };
}

/** Looks at `inside` when `at` is a directory or ends in a slash, else at `at`: one path costs half of what two do. */
export async function probeEither(target: ReadTarget, at: Probe, inside: Probe): Promise<FileState> {
  if (at.path.endsWith('/')) return probeFile(target, inside);
  const script = `if [ -d ${quotePath(at.path)} ]; then\n${call(inside)}\nelse\n${call(at)}\nfi\n`;
  return (await probed(target, { script, options: { functions: PROBE_FUNCTIONS } }, 1))[0]!;
}

/** The script that looks at the paths, for modules that add lines of their own behind it; see parseProbes. */
export function probeScript(probes: readonly Probe[]): ProbeScript {
  return { script: `${probes.map(call).join('\n')}\n`, options: { functions: PROBE_FUNCTIONS } };
}

function call({ path, follow, hash, content }: Probe): string {
  const how = follow === false ? 'entry' : howToRead(hash, content);
  return `reeve_probe ${quotePath(withoutSlash(path))} ${how}`;
}

function howToRead(hash: boolean | undefined, content: Probe['content']): string {
  if (content === 'always') return 'always';
  if (content) return content.size !== undefined && content.size <= SMALL ? 'small' : content.unless;
  return hash ? 'hash' : 'no';
}

/**
 * Looks at the paths in one round trip; the answers come in the order of the questions. In check mode they hold what
 * earlier plans foresee.
 */
export async function probeFiles(target: ReadTarget, probes: readonly Probe[]): Promise<FileState[]> {
  return probed(target, probeScript(probes), probes.length);
}

async function probed(target: ReadTarget, { script, options }: ProbeScript, count: number): Promise<FileState[]> {
  const result = await target.read(`${script}${FORGET}`, { ...options, inShell: true });
  const { states } = parseProbes(result.raw.stdout, count);
  if (states.length !== count) {
    throw new TaskFailure(`the files could not be looked at: ${result.stderr.trim() || `exit code ${result.code}`}`);
  }
  return states.map((state) => withForeseen(state, target));
}

/** @throws TaskFailure when something can never be made there: what would be a directory above it is none. */
export function refuseBlocked({ path, blocked }: FileState): void {
  if (blocked === undefined) return;
  throw new TaskFailure(`${path} cannot be made: ${blocked} is not a directory`, { code: 'not-a-directory' });
}

/** Looks at one path. */
export async function probeFile(target: ReadTarget, probe: Probe): Promise<FileState> {
  return (await probeFiles(target, [probe]))[0]!;
}

/**
 * A path without slashes at its end, which would make every program follow a link, and without others that say nothing
 * (`a//b`, `a/./b`): what one task foresees of a path the next must find.
 */
export function withoutSlash(path: string): string {
  return path.replace(/\/(?:\.?\/)+/g, '/').replace(/(?<=[^/])\/+$/, '');
}
