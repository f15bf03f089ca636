import { basename } from 'node:path';
import { defineModule, type Plan } from '../../runner/module.ts';
import {
  applyCopyTree,
  type CopyTreeStep,
  makeDirectories,
  planCopyTree,
  plannedTreeUndo,
  undoCopyTree,
} from '../shared/copy-tree.ts';
import { findDestination } from '../shared/destination.ts';
import { foresee } from '../shared/foresee.ts';
import { modeArgument } from '../shared/mode.ts';
import { FILE_NEEDS } from '../shared/stat.ts';
import {
  applyWrite,
  factsOf,
  fileFactsSchema,
  planWrite,
  undoWrite,
  type WriteStep,
  type WriteUndo,
  warnWithoutParent,
  writeArguments,
  writePlan,
} from '../shared/write.ts';

type Step = { file: WriteStep } | { tree: CopyTreeStep };
type Undo = { file: WriteUndo } | { tree: Parameters<typeof undoCopyTree>[0] };

export const copy = defineModule({
  name: 'copy',
  description: 'Puts a file, a directory or a text of the playbook on the target.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['dest'],
    properties: {
      src: {
        type: 'string',
        minLength: 1,
        description:
          'File or directory of the control machine. A directory is copied into dest under its own name; with a slash ' +
          'at its end, only what is in it.',
      },
      content: { type: 'string', description: 'The text itself, instead of src.' },
      dest: {
        type: 'string',
        minLength: 1,
        description: 'Path on the target. When it is a directory, or ends in a slash, the file keeps its name in it.',
      },
      mode: {
        ...modeArgument,
        pattern: `^preserve$|${modeArgument.pattern}`,
        description: `${modeArgument.description} "preserve" takes the permissions of src, those of directories that are made too.`,
      },
      directory_mode: { ...modeArgument, description: 'Permissions of directories that are made.' },
      force: {
        type: 'boolean',
        default: true,
        description: 'Replace a file whose content differs; false leaves every file that exists alone.',
      },
      ...writeArguments,
    },
  },
  examples: [
    { title: 'A text', yaml: 'copy: { content: "Welcome\\n", dest: /etc/motd, mode: "0644" }' },
    {
      title: 'A configuration, checked first',
      yaml: 'copy: { content: "Defaults env_reset\\n", dest: /etc/sudoers.d/reeve, mode: "0440", validate: "visudo -cf %s" }',
    },
    { title: 'What is in a directory', yaml: 'copy: { src: manifests/, dest: /var/lib/rancher/k3s/server/manifests }' },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: {
    type: 'object',
    additionalProperties: false,
    properties: fileFactsSchema,
  },
  notes:
    'Links at dest are followed. A file that changed between plan and apply is left alone and the task fails. ' +
    'For a directory only `path` is returned. The directory that dest is in must exist; with a slash at its end, dest is made.',
  check(args) {
    if ((args.src === undefined) === (args.content === undefined)) return 'give either src or content';
    if (args.content !== undefined && args.mode === 'preserve') return 'mode: preserve needs src';
    if (args.content !== undefined && String(args.dest).endsWith('/'))
      return 'content needs the name of a file as dest';
    return undefined;
  },
  async plan(args, target) {
    const tree = args.src === undefined ? undefined : await target.sourceTree?.(args.src);
    if (tree) {
      const inside = args.src!.endsWith('/') ? args.dest : `${args.dest}/${basename(tree.path)}`;
      return asTree(await planCopyTree({ ...args, dest: inside }, tree, target));
    }
    const source = args.src === undefined ? undefined : await target.source(args.src);
    const content = source?.content ?? Buffer.from(args.content ?? '');
    const state = await findDestination(args.dest, source && basename(source.path), content, target);
    if (state.real && !args.force) {
      return { changes: [], facts: factsOf(state), message: `${state.path} exists` };
    }
    const mode = args.mode === 'preserve' ? source?.mode : args.mode;
    const { mode: _, ...others } = args;
    const { changes, step, facts } = planWrite(state, { ...others, ...(mode !== undefined && { mode }), content });
    if (!step) return { changes, facts };
    if (source && args.dest.endsWith('/') && state.missing?.length) {
      const made = makeDirectories(state.missing, args, state.newcomer);
      const tree: CopyTreeStep = { facts, make: made.make, made: state.missing, writes: [step] };
      const foresees = foresee(target, { ...made.after, [step.path]: step.after });
      const undo = { tree: plannedTreeUndo(tree, target) };
      return { changes: [...made.changes, ...changes], predicted: facts, foresees, next: { tree } as Step, undo };
    }
    warnWithoutParent(state, target);
    const { undo, ...plan } = writePlan(changes, step, target);
    return { ...plan, next: { file: step } as Step, ...(undo && { undo: { file: undo } }) };
  },
  async apply(next, target) {
    if ('tree' in next) {
      // Also when it fails half-way: what is not written yet needs no undo and bears it.
      target.recordUndo?.({ tree: plannedTreeUndo(next.tree, target) });
      return { facts: next.tree.facts, undo: { tree: await applyCopyTree(next.tree, target) } };
    }
    const undo = await applyWrite(next.file, target);
    return { facts: next.file.facts, ...(undo && { undo: { file: undo } }) };
  },
  async undo(undo: Undo, target) {
    await ('tree' in undo ? undoCopyTree(undo.tree, target) : undoWrite(undo.file, target));
  },
});

function asTree(plan: Plan<CopyTreeStep>): Plan<Step> {
  const { next, undo, ...others } = plan;
  return { ...others, ...(next && { next: { tree: next }, undo: { tree: undo } }) };
}
