/** Mode, owner and group of everything in a directory: one list, one script, however many entries there are. */
import { type Change, TaskFailure } from '../../runner/module.ts';
import { planOwner } from './attributes.ts';
import { formatMode, resolveMode } from './mode.ts';
import { quote, quoteBytes } from './quote.ts';
import { type Attributes, FIND_STAT, parseAttributes } from './stat.ts';

export interface ListedEntry {
  /** For people; `word` is it in a script, where a name may be no text at all. */
  path: string;
  word: string;
  attributes: Attributes;
}

/** Paths in a command line are kept well below the smallest limit that POSIX allows systems to have. */
const PATHS_PER_COMMAND = 50;
/** Entries shown in a change; a diff of thousands helps nobody. */
const SHOWN = 50;

/**
 * Shell text behind probeScript that lists what is in the directory it looked at last, links left out.
 * Names and attributes come as two lists in the same order, since a name may hold any byte but NUL.
 */
export const LIST_SCRIPT = `if [ -d "$p" ]; then
find -H "$p" ! -type l -print0; printf '\\000'
${FIND_STAT}
find -H "$p" ! -type l -exec stat $reeve_stat {} +
fi
`;

/** Reads what LIST_SCRIPT printed, without the directory itself. */
export function parseList(output: Buffer): ListedEntry[] {
  if (output.length === 0) return [];
  const end = output.indexOf('\0\0');
  const paths = output
    .subarray(0, end)
    .toString('latin1')
    .split('\0')
    .map((path) => Buffer.from(path, 'latin1'));
  const lines = output
    .subarray(end + 2)
    .toString()
    .trimEnd()
    .split('\n');
  const entries = lines.map((line, index) => ({
    path: paths[index]?.toString() ?? '',
    word: quoteBytes(paths[index] ?? Buffer.alloc(0)),
    attributes: parseAttributes(line),
  }));
  if (paths.length !== lines.length || entries.some((entry) => !entry.attributes)) {
    throw new TaskFailure('the directory changed while it was being listed', {
      code: 'file-changed',
      hint: 'run the task again',
    });
  }
  return (entries as ListedEntry[]).slice(1);
}

/** What differs below `root`, and the commands that change it and take it back; undefined when nothing does. */
export function planRecursive(
  root: string,
  entries: readonly ListedEntry[],
  wanted: { mode?: string; owner?: string; group?: string },
): { change: Change; scripts: string[]; back: string[] } | undefined {
  const forward = new Commands();
  const backward = new Commands();
  const before: Record<string, string> = {};
  const after: Record<string, string> = {};
  let count = 0;
  for (const { path, word, attributes } of entries) {
    const owner = planOwner(attributes, wanted);
    const mode =
      wanted.mode === undefined
        ? attributes.mode
        : resolveMode(wanted.mode, attributes.mode, attributes.type === 'directory');
    if (mode === attributes.mode && Object.keys(owner).length === 0) continue;
    forward.add(word, owner, mode);
    backward.add(word, { owner: String(attributes.uid), group: String(attributes.gid) }, attributes.mode);
    if (++count > SHOWN) continue;
    const name = path.slice(root.length + 1);
    before[name] = `${formatMode(attributes.mode)} ${attributes.owner}:${attributes.group}`;
    after[name] = `${formatMode(mode)} ${owner.owner ?? attributes.owner}:${owner.group ?? attributes.group}`;
  }
  if (count === 0) return undefined;
  const summary = `${root}: permissions of ${count} ${count === 1 ? 'entry' : 'entries'} below`;
  return { change: { summary, before, after }, scripts: forward.lines(), back: backward.lines() };
}

/** Collects paths by what is to be done with them; owners come first, since chown clears set-id bits. */
class Commands {
  private readonly owners = new Map<string, string[]>();
  private readonly modes = new Map<string, string[]>();

  add(word: string, owner: { owner?: string; group?: string }, mode: number): void {
    if (owner.owner !== undefined || owner.group !== undefined) {
      const who = `${owner.owner ?? ''}${owner.group === undefined ? '' : `:${owner.group}`}`;
      push(this.owners, `chown ${quote(who)}`, word);
    }
    push(this.modes, `chmod 0${formatMode(mode)}`, word);
  }

  lines(): string[] {
    return [...this.owners, ...this.modes].flatMap(([command, paths]) => {
      const chunks: string[] = [];
      for (let at = 0; at < paths.length; at += PATHS_PER_COMMAND) {
        chunks.push(`${command} ${paths.slice(at, at + PATHS_PER_COMMAND).join(' ')}`);
      }
      return chunks;
    });
  }
}

function push(map: Map<string, string[]>, key: string, path: string): void {
  const list = map.get(key);
  if (list) list.push(path);
  else map.set(key, [path]);
}
