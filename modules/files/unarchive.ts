import { type Change, defineModule, type ReadTarget, type SourceTree, TaskFailure } from '../../runner/module.ts';
import { runOrFail } from '../shared/attributes.ts';
import {
  applyCopyTree,
  type CopyTreeStep,
  type CopyTreeUndo,
  planCopyTree,
  plannedTreeUndo,
  undoCopyTree,
} from '../shared/copy-tree.ts';
import { foreseenPath } from '../shared/foresee.ts';
import { formatMode } from '../shared/mode.ts';
import { quote, quotePath } from '../shared/quote.ts';
import { FILE_NEEDS, probeFiles, withoutSlash } from '../shared/stat.ts';
import { decompress, readTar, type TarEntry } from '../shared/tar.ts';
import { writeArguments } from '../shared/write.ts';

interface LinkStep {
  path: string;
  to: string;
  /** What the link that is there leads to; absent for a new one. */
  before?: string;
}
interface Step {
  tree?: CopyTreeStep;
  links: LinkStep[];
  facts: { dest: string; entries: string[] };
}
interface Undo {
  tree?: CopyTreeUndo;
  links: LinkStep[];
}

export const unarchive = defineModule({
  name: 'unarchive',
  description: 'Unpacks a tar archive of the control machine into a directory of the target.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['src', 'dest'],
    properties: {
      src: {
        type: 'string',
        minLength: 1,
        description: 'The archive: .tar, .tar.gz or .tar.zst, told by its content.',
      },
      dest: {
        type: 'string',
        minLength: 1,
        description: 'Directory on the target; it is made when it does not exist.',
      },
      strip: {
        type: 'integer',
        minimum: 0,
        default: 0,
        description: 'Leave out so many leading directories of every path.',
      },
      creates: { type: 'string', description: 'Path on the target; when it exists nothing is unpacked.' },
      owner: writeArguments.owner,
      group: writeArguments.group,
      backup: writeArguments.backup,
    },
  },
  examples: [
    { title: 'A program out of its archive', yaml: 'unarchive: { src: helm-v3.tar.gz, dest: /opt/helm, strip: 1 }' },
    {
      title: 'Once',
      yaml: 'unarchive: { src: site.tar.zst, dest: /srv/www, owner: www-data, creates: /srv/www/index.html }',
    },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: {
    type: 'object',
    additionalProperties: false,
    properties: {
      dest: { type: 'string', description: 'The directory.' },
      entries: { type: 'array', items: { type: 'string' }, description: 'Paths in the archive, after strip.' },
    },
  },
  notes:
    'The archive is read on the control machine and compared file by file, so that only what differs is sent, and the target ' +
    'needs no tar. Files in dest that are not in the archive stay. Every file that differs is a round trip: for archives of ' +
    'thousands of files `script` with tar is faster. Owners in the archive are ignored.',
  async plan(args, target) {
    const source = await target.source(args.src);
    const entries = stripped(readTar(decompress(source.content, args.src), args.src), args.strip);
    const facts = { dest: withoutSlash(args.dest), entries: entries.map((entry) => entry.path) };
    if (args.creates !== undefined && (await exists(args.creates, target))) {
      return { changes: [], facts, message: `${args.creates} exists` };
    }
    const { src: _, strip: __, creates: ___, ...others } = args;
    const tree = await planCopyTree({ ...others, mode: 'preserve', force: true }, asTree(entries, args.src), target);
    const { changes, steps } = await planLinks(entries, facts.dest, target);
    const all = [...tree.changes, ...changes];
    if (all.length === 0) return { changes: all, facts };
    const next: Step = { ...(tree.next && { tree: tree.next }), links: steps, facts };
    const undo = plannedUndo(next, target);
    return { changes: all, predicted: facts, ...(tree.foresees && { foresees: tree.foresees }), next, undo };
  },
  async apply(next: Step, target) {
    // Also when it fails half-way: what is not written yet needs no undo and bears it.
    target.recordUndo?.(plannedUndo(next, target));
    const undo: Undo = { links: next.links };
    if (next.tree) undo.tree = await applyCopyTree(next.tree, target);
    if (next.links.length > 0) await runOrFail(target, next.links.map(makeLink).join(' && '), next.facts.dest);
    return { facts: next.facts, undo };
  },
  async undo(undo: Undo, target) {
    if (undo.links.length > 0) {
      const back = undo.links.map((link) =>
        link.before === undefined ? `rm -f ${quotePath(link.path)}` : makeLink({ ...link, to: link.before }),
      );
      await runOrFail(target, back.join(' && '), undo.links[0]!.path);
    }
    if (undo.tree) await undoCopyTree(undo.tree, target);
  },
});

function plannedUndo({ tree, links }: Step, target: ReadTarget): Undo {
  return { links, ...(tree && { tree: plannedTreeUndo(tree, target) }) };
}

async function exists(path: string, target: ReadTarget): Promise<boolean> {
  const foreseen = foreseenPath(target, path)?.type;
  if (foreseen) return foreseen !== 'absent';
  const [state] = await probeFiles(target, [{ path }]);
  return state!.entry !== undefined;
}

function stripped(entries: TarEntry[], strip: number): TarEntry[] {
  return entries.flatMap((entry) => {
    const path = entry.path.split('/').slice(strip).join('/');
    return path === '' ? [] : [{ ...entry, path }];
  });
}

/** Files and directories, those included that the archive only implies; of equal paths the last one counts. */
function asTree(entries: TarEntry[], path: string): SourceTree {
  const files = new Map<string, SourceTree['files'][number]>();
  const directories = new Map<string, string>();
  const links = new Set(entries.flatMap((entry) => (entry.type === 'link' ? [entry.path] : [])));
  for (const entry of entries) {
    const parts = entry.path.split('/');
    const depth = entry.type === 'directory' ? parts.length : parts.length - 1;
    for (let count = 1; count <= depth; count++) {
      const directory = parts.slice(0, count).join('/');
      // Through a link of its own an archive could write anywhere.
      if (links.has(directory)) throw new TaskFailure(`${path} has ${entry.path} below a link`, { code: 'archive' });
      if (!directories.has(directory)) directories.set(directory, '0755');
    }
    if (entry.type === 'directory') directories.set(entry.path, formatMode(entry.mode));
    if (entry.type === 'file')
      files.set(entry.path, { path: entry.path, content: entry.content, mode: formatMode(entry.mode) });
  }
  const sorted = [...directories].sort().map(([directory, mode]) => ({ path: directory, mode }));
  return { path, directories: sorted, files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

async function planLinks(
  entries: TarEntry[],
  dest: string,
  target: ReadTarget,
): Promise<{ changes: Change[]; steps: LinkStep[] }> {
  const links = entries.filter((entry) => entry.type === 'link');
  if (links.length === 0) return { changes: [], steps: [] };
  const states = await probeFiles(
    target,
    links.map(({ path }) => ({ path: `${dest}/${path}` })),
  );
  const changes: Change[] = [];
  const steps: LinkStep[] = [];
  for (const [index, { target: to }] of links.entries()) {
    const { path, entry, link } = states[index]!;
    if (link?.equals(Buffer.from(to))) continue;
    if (entry && entry.type !== 'link') {
      throw new TaskFailure(`${path} is a ${entry.type}, not the link that the archive has`, { code: 'not-a-link' });
    }
    const before = link && { before: link.toString() };
    changes.push({
      summary: `${path}: link to ${to}`,
      before: before ? { link: before.before } : null,
      after: { link: to },
    });
    steps.push({ path, to, ...before });
  }
  return { changes, steps };
}

function makeLink(link: LinkStep): string {
  const path = quotePath(link.path);
  return `rm -f ${path} && ln -s -- ${quote(link.to)} ${path}`;
}
