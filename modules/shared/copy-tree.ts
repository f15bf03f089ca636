/** A directory of the control machine put on the target: one look, one script for directories, one for a hundred small files. */
import { randomBytes } from 'node:crypto';
import { basename, dirname } from 'node:path';
import {
  backupsOf,
  type Plan,
  type ReadTarget,
  type SourceTree,
  TaskFailure,
  type WriteTarget,
} from '../../runner/module.ts';
import { attributesScript, removeDirectories, runOrFail } from './attributes.ts';
import { type ForeseenPath, foresee } from './foresee.ts';
import { formatMode, resolveMode } from './mode.ts';
import { quotePath } from './quote.ts';
import { type FileState, refuseBlocked, withoutSlash } from './stat.ts';
import { probeTree } from './stat-tree.ts';
import {
  applyWrites,
  type FileFacts,
  plannedUndo,
  planWrite,
  undoWrites,
  type WantedFile,
  type WriteStep,
  type WriteUndo,
} from './write.ts';

export interface CopyTreeArgs extends Omit<WantedFile, 'content'> {
  dest: string;
  directory_mode?: string;
  force: boolean;
}

export interface CopyTreeStep {
  facts: Partial<FileFacts>;
  /** Shell commands that make what is missing. */
  make: string[];
  made: string[];
  writes: WriteStep[];
}

export interface CopyTreeUndo {
  made: string[];
  writes: WriteUndo[];
}

export async function planCopyTree(
  args: CopyTreeArgs,
  tree: SourceTree,
  target: ReadTarget,
): Promise<Plan<CopyTreeStep>> {
  const root = withoutSlash(args.dest);
  const { directories, files } = await probeTree(target, root, tree);
  const made = missingDirectories(directories);
  const {
    changes: all,
    make,
    after,
  } = makeDirectories(
    made,
    args,
    directories[0]!.newcomer,
    args.mode === 'preserve' ? modesByPath(directories, tree) : undefined,
  );
  const changes: Plan['changes'] = all;
  const writes: WriteStep[] = [];
  for (const [index, file] of tree.files.entries()) {
    const state = files[index]!;
    if (state.real && !args.force) continue;
    const { mode, ...others } = args;
    const fileMode = mode === 'preserve' ? file.mode : mode;
    const plan = planWrite(state, {
      ...others,
      ...(fileMode !== undefined && { mode: fileMode }),
      content: file.content,
    });
    changes.push(...plan.changes);
    if (plan.step) writes.push(plan.step);
  }
  keepTogether(writes, target);
  const facts = { path: directories[0]!.path };
  if (changes.length === 0) return { changes, facts };
  const written = Object.fromEntries(writes.map((write) => [write.path, write.after]));
  return {
    changes,
    undo: plannedTreeUndo({ made, writes }, target),
    predicted: facts,
    foresees: foresee(target, { ...after, ...written }),
    next: { facts, make, made, writes },
  };
}

/** Copies of a folder's files go into one folder under their own names, so that one process keeps them all. */
function keepTogether(writes: readonly WriteStep[], target: ReadTarget): void {
  const folders = new Map<string, string>();
  for (const { path, content, expected, options } of writes) {
    if (content === undefined || expected === undefined || options.backup === false) continue;
    const folder = folders.get(dirname(path)) ?? `${backupsOf(target)}/${randomBytes(9).toString('hex')}`;
    folders.set(dirname(path), folder);
    options.copyAs = `${folder}/${basename(path)}`;
  }
}

function missingDirectories(states: FileState[]): string[] {
  return states.flatMap((state, index) => {
    if (state.real && state.real.type !== 'directory') {
      throw new TaskFailure(`${state.path} is a ${state.real.type}, not a directory`, { code: 'not-a-directory' });
    }
    refuseBlocked(state);
    // Only the first one may lie below directories that are missing too: the others lie below it.
    return state.real ? [] : [...(index === 0 ? (state.missing ?? []) : []), state.path];
  });
}

function modesByPath(states: FileState[], tree: SourceTree): Map<string, string> {
  return new Map(tree.directories.map(({ mode }, index) => [states[index + 1]!.path, mode]));
}

/**
 * The changes and shell commands that make directories, outermost first, and what they will be.
 * @param modes Octal text by path, for those that keep the permissions of their source.
 */
export function makeDirectories(
  paths: readonly string[],
  args: Pick<CopyTreeArgs, 'directory_mode' | 'owner' | 'group'>,
  newcomer: FileState['newcomer'],
  modes: ReadonlyMap<string, string> = new Map(),
) {
  const plain = newcomer ?? { directoryMode: 0o755, owner: '', group: '' };
  const { owner, group } = args;
  const made = paths.map((path) => {
    const mode = args.directory_mode ?? modes.get(path);
    const bits = mode === undefined ? plain.directoryMode : resolveMode(mode, plain.directoryMode, true);
    const set = attributesScript(path, {
      ...(mode !== undefined && { mode: formatMode(bits) }),
      ...(owner !== undefined && { owner }),
      ...(group !== undefined && { group }),
    });
    const after: ForeseenPath = {
      type: 'directory',
      mode: bits,
      owner: owner ?? plain.owner,
      group: group ?? plain.group,
    };
    return { path, after, make: `mkdir ${quotePath(path)}${set && ` && ${set}`}` };
  });
  return {
    changes: paths.map((path) => ({
      summary: `${path}: create directory`,
      before: null,
      after: { type: 'directory' },
    })),
    make: made.map((one) => one.make),
    after: Object.fromEntries(made.map(({ path, after }) => [path, after])),
  };
}

/** What undoCopyTree needs, before anything is written. */
export function plannedTreeUndo(
  { made, writes }: Pick<CopyTreeStep, 'made' | 'writes'>,
  target: ReadTarget,
): CopyTreeUndo {
  return { made, writes: writes.flatMap((write) => plannedUndo(write, target) ?? []) };
}

/** Makes the directories, then writes the files. */
export async function applyCopyTree(step: CopyTreeStep, target: WriteTarget): Promise<CopyTreeUndo> {
  if (step.make.length > 0) await runOrFail(target, step.make.join(' && '), step.made[0]!);
  await applyWrites(step.writes, target);
  return plannedTreeUndo(step, target);
}

/** Files first, then the directories that were made, as far as they are empty again. */
export async function undoCopyTree(undo: CopyTreeUndo, target: WriteTarget): Promise<void> {
  await undoWrites(undo.writes.toReversed(), target);
  if (undo.made.length === 0) return;
  await runOrFail(target, removeDirectories(undo.made), undo.made[0]!);
}
