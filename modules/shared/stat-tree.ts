/** Looks at a directory of the target and at what is to be below it. */
import type { ReadTarget, SourceTree } from '../../runner/module.ts';
import { withForeseen } from './foresee.ts';
import { quoteAll, quotePath } from './quote.ts';
import { BSD, type FileState, GNU, type Probe, parseAttributes, parseProbes, probeFiles, probeScript } from './stat.ts';
import { sha256Of } from './write.ts';

/** Above this many files, those that are as they should be are told by two processes in all; a look at each is two or three. */
const FEW = 16;

/** Names that one process is given: a tenth of what Linux takes as arguments, were all of them as long as can be. */
const AT_ONCE = 500;

type Wanted = SourceTree['files'][number];

export interface TreeState {
  /** `root`, then the directories below it. */
  directories: FileState[];
  /** In the order of those that are wanted; of one that has just its content nobody asks whether it is writable. */
  files: FileState[];
}

/** One round trip when there are few files or all are as wanted, else two. 2,000 unchanged files: 4,000 processes fewer. */
export async function probeTree(target: ReadTarget, root: string, tree: SourceTree): Promise<TreeState> {
  const places: Probe[] = [{ path: root }, ...tree.directories.map(({ path }) => ({ path: `${root}/${path}` }))];
  if (tree.files.length <= FEW) {
    const states = await probeFiles(target, [...places, ...tree.files.map((file) => probeOf(root, file))]);
    return { directories: states.slice(0, places.length), files: states.slice(places.length) };
  }
  const { script, options } = probeScript(places);
  const result = await target.read(script + manyScript(root, tree.files), options);
  const { states, rest } = parseProbes(result.raw.stdout, places.length);
  const unchanged = readMany(rest.toString(), tree.files);
  const others = tree.files.filter(({ path }) => !unchanged.has(path));
  const probed =
    others.length === 0
      ? []
      : await probeFiles(
          target,
          others.map((file) => probeOf(root, file)),
        );
  const byPath = new Map(others.map(({ path }, index) => [path, probed[index]!]));
  return {
    directories: states.map((state) => withForeseen(state, target)),
    files: tree.files.map(({ path }) => byPath.get(path) ?? withForeseen(unchanged.get(path)!, target)),
  };
}

function probeOf(root: string, { path, content }: Wanted): Probe {
  return { path: `${root}/${path}`, content: { unless: sha256Of(content), size: content.length } };
}

/** What tells lines apart, or what sha256sum writes with escapes, is looked at by itself. */
const isPlain = ({ path }: Wanted) => !/[\n\\]/.test(path);

/** Prints where `root` is, attributes of files below it, and their hashes; each part but the last is ended by NUL. */
function manyScript(root: string, files: readonly Wanted[]): string {
  const names = files.filter(isPlain).map(({ path }) => `./${path}`);
  const chunks = Array.from({ length: Math.ceil(names.length / AT_ONCE) }, (_, n) =>
    quoteAll(names.slice(n * AT_ONCE, (n + 1) * AT_ONCE)),
  );
  const each = (command: string) => chunks.map((some) => `${command} ${some} 2>/dev/null`).join('\n');
  return `p=${quotePath(root)}
case $p in /*) ;; *) p=$PWD/\${p#./} ;; esac
cd "$p" 2>/dev/null || exit 0
printf '%s\\000' "$p"
if stat ${GNU} / >/dev/null 2>&1; then a='${GNU}:%n'; else a='${BSD}:%N'; fi
${each('stat $a')}
printf '\\000'
if command -v sha256sum >/dev/null; then h=sha256sum; else h='shasum -a 256'; fi
${each('$h')}
exit 0
`;
}

/** Length of a SHA-256 in hex, and of what stands between it and `NAME`: two blanks and `./`. */
const HASH = 64;
const GAP = 4;

/** The files that are plain ones with just the content that is wanted, by their path below the root. */
function readMany(output: string, files: readonly Wanted[]): Map<string, FileState> {
  const [root = '', attributes = '', hashes = ''] = output.split('\0');
  const hashOf = new Map(hashes.split('\n').map((line) => [line.slice(HASH + GAP), line.slice(0, HASH)]));
  const lineOf = new Map(attributes.split('\n').map((line) => [/^(?:[^:]*:){11}\.\/(.*)$/.exec(line)?.[1], line]));
  const states = new Map<string, FileState>();
  for (const { path, content } of files.filter(isPlain)) {
    const entry = parseAttributes(lineOf.get(path) ?? '');
    const sha256 = sha256Of(content);
    if (entry?.type !== 'file' || hashOf.get(path) !== sha256) continue;
    const access = { readable: true, writable: false, executable: false };
    states.set(path, { path: `${root}/${path}`, entry, real: entry, sha256, ...access });
  }
  return states;
}
