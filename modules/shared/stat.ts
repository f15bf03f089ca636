/** Looks at files of the target: any number of paths in one script, with their hash and content when asked for. */
import { type ReadTarget, TaskFailure } from '../../runner/module.ts';
import { withForeseen } from './foresee.ts';
import { quotePath } from './quote.ts';
import { type FileState, parseProbes } from './stat-parse.ts';

export { type Attributes, type FileState, parseAttributes, parseProbes } from './stat-parse.ts';

export interface Probe {
  path: string;
  /** Read the SHA-256 of a regular file. */
  hash?: boolean;
  /** Read the content of a regular file: always, or when its SHA-256 differs from the one wanted (and it is small). */
  content?: 'always' | { unless: string };
}

/** What a target needs, beside what POSIX has, for everything in this file and for writing. */
export const FILE_NEEDS: string[] = ['stat', 'sha256sum', 'head', 'readlink'];

/** Content above this many bytes is not read for a diff. */
export const DIFF_LIMIT = 512 * 1024;

/** Defines `reeve_hash`: SHA-256 of the standard input as 64 hex digits. BSD and macOS name the program differently. */
export const HASH_FUNCTION = `reeve_hash() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256
  elif command -v sha256 >/dev/null 2>&1; then sha256 -q
  else openssl dgst -sha256 -r
  fi | cut -c1-64
}
`;

/**
 * Defines `reeve_stat OPTION PATH` and, for use in `find -exec stat`, `$reeve_flag` and `$reeve_format`.
 *
 * GNU and busybox take -c, BSD -f with other letters; the raw mode in hex is the one spelling of type and bits all share.
 */
const STAT_FUNCTION = `if stat -c %f / >/dev/null 2>&1
then reeve_flag=-c reeve_format=%f:%s:%u:%g:%Y:%X:%h:%d:%i:%U:%G
else reeve_flag=-f reeve_format=%Xp:%z:%u:%g:%m:%a:%l:%d:%i:%Su:%Sg
fi
reeve_stat() { stat $1 $reeve_flag $reeve_format "$2" 2>/dev/null; }
`;

// Fields end with NUL, since a path or a link's target may hold any other byte.
const PROBE_FUNCTION = `reeve_probe() {
  p=$1 s= l= t= h= n= a= d= u= w= e=
  case $p in /*) ;; *) p=$PWD/\${p#./} ;; esac
  if [ -e "$p" ] || [ -L "$p" ]; then s=$(reeve_stat '' "$p"); w=y; fi
  if [ -L "$p" ]; then l=$(readlink -n "$p"; printf x); l=\${l%x}; t=$(reeve_stat -L "$p"); fi
  if [ -f "$p" ] && [ -r "$p" ]; then
    if [ "$2" = hash ]; then h=$(reeve_hash <"$p"); fi
    case $3 in never) ;; always) n=$(wc -c <"$p") ;; "$h") ;; *) n=$(wc -c <"$p"); [ "$n" -le ${DIFF_LIMIT} ] || n= ;; esac
  fi
  for f in r w x; do if [ -$f "$p" ]; then a=$a$f; fi; done
  if [ -z "$w" ] || { [ -L "$p" ] && [ -z "$t" ]; }; then
    q=\${p%/*}/; d=$(reeve_stat -L "$q"); u="$(umask) $(id)"
    e=\${p%/*}; while [ -n "$e" ] && [ ! -e "$e" ]; do e=\${e%/*}; done
    if [ -d "$e" ] && [ ! -x "$e" ]; then a=denied; fi
  fi
  printf '%s\\000' F "$p" "$w" "$s" "$l" "$t" "$h" "$a" "$d" "$e" "$u" "\${n:+$((n))}"
  if [ -n "$n" ]; then head -c "$((n))" <"$p"; printf '\\000'; fi
}
`;

/** The script that looks at the paths, for modules that add lines of their own behind it; see parseProbes. */
export function probeScript(probes: readonly Probe[]): string {
  const lines = probes.map(({ path, hash, content }) => {
    const conditional = typeof content === 'object';
    const wanted = conditional ? content.unless : (content ?? 'never');
    return `reeve_probe ${quotePath(withoutSlash(path))} ${hash || conditional ? 'hash' : 'no'} ${wanted}`;
  });
  return `${HASH_FUNCTION}${STAT_FUNCTION}${PROBE_FUNCTION}${lines.join('\n')}\n`;
}

/**
 * Looks at the paths in one round trip; the answers come in the order of the questions. In check mode they hold what
 * earlier plans foresee.
 */
export async function probeFiles(target: ReadTarget, probes: readonly Probe[]): Promise<FileState[]> {
  const result = await target.read(probeScript(probes));
  const { states } = parseProbes(result.raw.stdout, probes.length);
  if (states.length !== probes.length) {
    throw new TaskFailure(`the files could not be looked at: ${result.stderr.trim() || `exit code ${result.code}`}`);
  }
  return states.map((state) => withForeseen(state, target));
}

/** Looks at one path. */
export async function probeFile(target: ReadTarget, probe: Probe): Promise<FileState> {
  return (await probeFiles(target, [probe]))[0]!;
}

/** A path without slashes at its end, which would make every program follow a link. */
export function withoutSlash(path: string): string {
  return path.replace(/(?<=[^/])\/+$/, '');
}
