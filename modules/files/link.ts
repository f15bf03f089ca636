import { type Change, defineModule, TaskFailure } from '../../runner/module.ts';
import { attributesScript, planOwner, runOrFail } from '../shared/attributes.ts';
import { type ForeseenPath, foresee } from '../shared/foresee.ts';
import {
  isBackScript,
  isUntouchedScript,
  type KeptEntry,
  keepScript,
  keptUndoScript,
  placeToKeep,
} from '../shared/keep.ts';
import { quote, quotePath } from '../shared/quote.ts';
import { FILE_NEEDS, type FileState, probeFiles, refuseBlocked } from '../shared/stat.ts';
import { attributesChange } from '../shared/write.ts';

interface Step {
  path: string;
  src: string;
  kind: 'symbolic' | 'hard';
  /** False when only the owner of the link differs. */
  make: boolean;
  /** What it replaces, and where that is kept. */
  kept?: KeptEntry;
  owner: { owner?: string; group?: string };
  before: { owner?: string; group?: string };
  facts: Record<string, unknown>;
}
interface Undo {
  path: string;
  src: string;
  kind: 'symbolic' | 'hard';
  made: boolean;
  kept?: KeptEntry;
  before: { owner?: string; group?: string };
}

export const link = defineModule({
  name: 'link',
  description: 'Makes a symbolic or hard link.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['path', 'src'],
    properties: {
      path: { type: 'string', minLength: 1, description: 'Path of the link itself.' },
      src: {
        type: 'string',
        minLength: 1,
        description:
          'What it leads to. In a symbolic link it is written as it is, so a relative one starts at the link.',
      },
      kind: { type: 'string', enum: ['symbolic', 'hard'], default: 'symbolic', description: 'Kind of link.' },
      force: {
        type: 'boolean',
        default: false,
        description: 'Put the link in the place of a file that is there. A directory is never replaced.',
      },
      owner: { type: 'string', description: 'Owner of a symbolic link itself, by name or number.' },
      group: { type: 'string', description: 'Group of a symbolic link itself, by name or number.' },
    },
  },
  examples: [
    { title: 'A command under a second name', yaml: 'link: { path: /usr/local/bin/kubectl, src: k3s }' },
    {
      title: 'In the place of a file',
      yaml: 'link: { path: /etc/resolv.conf, src: /run/systemd/resolve/resolv.conf, force: true }',
    },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: {
    type: 'object',
    additionalProperties: false,
    properties: {
      path: { type: 'string', description: 'Absolute path of the link.' },
      src: { type: 'string', description: 'What it leads to.' },
      kind: { type: 'string', description: 'symbolic or hard.' },
    },
  },
  notes: 'A link that leads elsewhere is replaced in one step. What it leads to need not exist for a symbolic link.',
  check(args) {
    if (args.kind === 'hard' && (args.owner ?? args.group) !== undefined)
      return 'owner and group are of symbolic links only';
    return undefined;
  },
  async plan(args, target) {
    const isHard = args.kind === 'hard';
    const [at, source] = await probeFiles(target, [
      { path: args.path, follow: false },
      ...(isHard ? [{ path: args.src }] : []),
    ]);
    const present = at!.entry;
    const facts = { path: at!.path, src: args.src, kind: args.kind };
    const right = isHard ? isSameFile(at!, source!) : at!.link?.equals(Buffer.from(args.src)) === true;
    if (!right) refuse(at!, args);
    if (!at!.entry) refuseBlocked(at!);
    const owner = isHard ? {} : planOwner(right ? present : undefined, args);
    const changes: Change[] = right ? [] : [linkChange(at!, args)];
    if (right && present && Object.keys(owner).length > 0) changes.push(attributesChange(at!.path, present, owner));
    if (changes.length === 0) return { changes, facts };
    if (isHard && source!.real?.type !== 'file') {
      target.warn(`${args.src}: no such file; this fails unless an earlier task makes it`);
    }
    const before = present ? { owner: String(present.uid), group: String(present.gid) } : {};
    const kept = !right && present ? { kept: placeToKeep(at!.path, target) } : {};
    const next: Step = { ...facts, make: !right, ...kept, owner, before, facts };
    const foresees = foresee(target, { [at!.path]: linkAsForeseen(args, source) });
    return { changes, predicted: facts, foresees, next, undo: undoOf(next) };
  },
  async apply(next: Step, target) {
    const script = next.make
      ? `${next.kept ? keepScript(next.kept) : ':'}\n${makeScript(next)}`
      : attributesScript(next.path, next.owner, { link: true });
    await runOrFail(target, script, next.path);
    return { facts: next.facts, undo: undoOf(next) };
  },
  async undo(undo: Undo, target) {
    const path = quotePath(undo.path);
    if (!undo.made) {
      await runOrFail(target, attributesScript(undo.path, undo.before, { link: true }), undo.path);
      return;
    }
    const ours =
      undo.kind === 'symbolic'
        ? `[ -L ${path} ] && [ "$(readlink -n ${path}; echo x)" = ${quote(`${undo.src}x`)} ]`
        : // One that was removed and put back from its copy is a file of its own, with the same in it.
          `{ [ ${path} -ef ${quotePath(undo.src)} ] || { [ ! -L ${path} ] && cmp -s ${path} ${quotePath(undo.src)}; }; }`;
    const refuse = `{ echo 'it was changed since; it is left as it is' >&2; exit 1; }`;
    const back = undo.kept ? keptUndoScript(undo.kept) : `rm -f ${path}`;
    // A rollback that was killed has taken it back already.
    const isBack = undo.kept ? isBackScript(undo.kept) : `[ ! -e ${path} ] && [ ! -L ${path} ]`;
    const untouched = undo.kept ? `${isUntouchedScript(undo.kept)} && exit 0` : ':';
    await runOrFail(target, `{ ${isBack}; } && exit 0\n${ours} || { ${untouched}; ${refuse}; }\n${back}`, undo.path);
  },
});

/** Another name of a file is that file to whoever looks at it; one that is yet to be made is an empty one. */
function linkAsForeseen({ kind, src }: { kind: string; src: string }, source: FileState | undefined): ForeseenPath {
  if (kind === 'symbolic') return { type: 'link', link: src };
  const { mode, owner, group } = source?.real ?? { mode: 0o644, owner: '', group: '' };
  return { type: 'file', mode, owner, group, ...(source?.content && { content: source.content }) };
}

function undoOf({ path, src, kind, make, before, kept }: Step): Undo {
  return { path, src, kind, made: make, before, ...(kept && { kept }) };
}

function isSameFile(at: FileState, source: FileState): boolean {
  const [a, b] = [at.entry, source.real];
  return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device;
}

function refuse(at: FileState, args: { force: boolean; kind: string; path: string; src: string }): void {
  if (at.entry?.type === 'directory') {
    throw new TaskFailure(`${at.path} is a directory; a link does not take its place`, {
      code: 'not-a-link',
      hint: 'remove it first, with the module file and state: absent',
    });
  }
  const replaceable = at.entry === undefined || (at.entry.type === 'link' && args.kind === 'symbolic') || args.force;
  if (!replaceable) {
    throw new TaskFailure(`${at.path} is a ${at.entry!.type}, not the link that is wanted`, {
      code: 'not-a-link',
      hint: 'force: true puts the link in its place',
    });
  }
}

function linkChange(at: FileState, args: { kind: string; src: string }): Change {
  const before = at.link ? { link: at.link.toString() } : at.entry ? { type: at.entry.type } : null;
  return {
    summary: `${at.path}: ${args.kind === 'hard' ? 'hard ' : ''}link to ${args.src}`,
    before,
    after: { link: args.src },
  };
}

/** The link is made beside its place and renamed, so that the name is never missing. */
function makeScript(step: Step): string {
  const path = quotePath(step.path);
  const temporary = quotePath(`${step.path}.reeve-link`);
  const owner = attributesScript(`${step.path}.reeve-link`, step.owner, { link: true });
  const option = step.kind === 'symbolic' ? '-s ' : '';
  const source = step.kind === 'symbolic' ? `-- ${quote(step.src)}` : quotePath(step.src);
  return [
    `if [ -e ${temporary} ] || [ -L ${temporary} ]; then rm -f ${temporary}; fi; ln ${option}${source} ${temporary}${owner && ` && ${owner}`} || { rm -f ${temporary}; exit 1; }`,
    // Without -T a rename over a link to a directory would move into that directory; not every mv has it.
    `mv -fT ${temporary} ${path} 2>/dev/null || { rm -f ${path} && mv -f ${temporary} ${path}; } || { rm -f ${temporary}; exit 1; }`,
  ].join('\n');
}
