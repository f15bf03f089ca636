/** Decides and does the writing of one file: what copy, template, get-url and the line editors share. */
import { createHash, randomBytes } from 'node:crypto';
import {
  type BatchFile,
  backupsOf,
  type Change,
  type FileUndo,
  type ReadTarget,
  ReeveError,
  TaskFailure,
  type WriteFileOptions,
  type WriteTarget,
} from '../../runner/module.ts';
import {
  type AttributesUndo,
  attributesNow,
  attributesScript,
  type OwnerChange,
  planOwner,
  runOrFail,
} from './attributes.ts';
import { type ForeseenPath, foresee } from './foresee.ts';
import { formatMode, resolveMode } from './mode.ts';
import { quotePath } from './quote.ts';
import { DIFF_LIMIT, type FileState, probeFile, probeFiles, refuseBlocked } from './stat.ts';

export interface WantedFile {
  /** Undefined: the content that is there is right. */
  content: Buffer | undefined;
  mode?: string;
  owner?: string;
  group?: string;
  validate?: string;
  /** Keep a copy for undo (default true). */
  backup?: boolean;
}

/** What applyWrite has to do: write the content (with its attributes), or set the attributes alone. */
export interface WriteStep {
  path: string;
  /** Absent when only attributes differ. */
  content?: Buffer;
  /** SHA-256 that the present file must still have; absent when there must be none. */
  expected?: string;
  options: WriteFileOptions;
  attributes: OwnerChange & { mode?: string };
  /** The path is a link, which is followed. */
  link?: true;
  /** The file as it will be. */
  after: ForeseenPath;
  /** Undo for attributes. */
  before?: AttributesUndo;
  facts: FileFacts;
}

export type FileFacts = {
  path: string;
  sha256: string;
  size: number;
  mode: string;
  owner: string;
  group: string;
};

/** `returns` of every module that keeps one file's content. */
export const fileFactsSchema = {
  path: { type: 'string', description: 'Absolute path of the file on the target.' },
  sha256: { type: 'string', description: 'SHA-256 of the content, in hex.' },
  size: { type: 'integer', description: 'Bytes.' },
  mode: { type: 'string', description: 'Permissions, four octal digits.' },
  owner: { type: 'string', description: 'Owner, by name where it has one; as given when the task sets it.' },
  group: { type: 'string', description: 'Group, by name where it has one; as given when the task sets it.' },
} as const;

/** The arguments that every module that writes a file takes. */
export const writeArguments = {
  owner: { type: 'string', description: 'Owner, by name or number; left as it is when not given.' },
  group: { type: 'string', description: 'Group, by name or number; left as it is when not given.' },
  validate: {
    type: 'string',
    pattern: '%s',
    description: 'Command that must accept the new content before it takes its place; %s stands for the file.',
  },
  backup: {
    type: 'boolean',
    default: true,
    description: 'Keep the previous content on the target, so that a rollback can put it back.',
  },
} as const;

/**
 * Compares a probed file with what is wanted.
 * @returns what differs; `step` is undefined when nothing does; `facts` are the state as it will be.
 * @throws TaskFailure when something other than a file is in the way, or it cannot be read.
 */
export function planWrite(
  state: FileState,
  wanted: WantedFile,
): { changes: Change[]; step?: WriteStep; facts: FileFacts } {
  refuseOtherTypes(state);
  const { content } = wanted;
  const sha256 = content ? sha256Of(content) : state.sha256!;
  const present = state.real;
  const base = present ?? { mode: 0o644, owner: '', group: '', size: 0, ...state.newcomer };
  const mode = wanted.mode === undefined ? base.mode : resolveMode(wanted.mode, base.mode);
  const owner = planOwner(present, wanted);
  const facts: FileFacts = {
    path: state.path,
    sha256,
    size: content?.length ?? base.size,
    mode: formatMode(mode),
    owner: owner.owner ?? base.owner,
    group: owner.group ?? base.group,
  };
  const rewrite = content !== undefined && (!present || state.sha256 !== sha256);
  const modeChange = present === undefined || present.mode !== mode ? { mode: formatMode(mode) } : {};
  const attributes = { ...owner, ...modeChange };
  const changes: Change[] = [];
  if (rewrite) changes.push(contentChange(state, content, sha256));
  if (present && Object.keys(attributes).length > 0) changes.push(attributesChange(state.path, present, attributes));
  if (changes.length === 0) return { changes, facts };
  const step: WriteStep = {
    path: state.path,
    ...(rewrite && { content }),
    ...(state.sha256 !== undefined && { expected: state.sha256 }),
    options: {
      ...attributes,
      ...(wanted.validate !== undefined && { validate: wanted.validate }),
      backup: wanted.backup ?? true,
    },
    attributes,
    ...(state.entry?.type === 'link' && { link: true as const }),
    after: { type: 'file', mode, owner: facts.owner, group: facts.group, ...(rewrite && { content }) },
    ...(present && { before: attributesNow(state.path, present) }),
    facts,
  };
  return { changes, step, facts };
}

/** The facts of a file as it was found. */
export function factsOf(state: FileState): Partial<FileFacts> {
  const { real } = state;
  return {
    path: state.path,
    ...(state.sha256 !== undefined && { sha256: state.sha256 }),
    ...(real && { size: real.size, mode: formatMode(real.mode), owner: real.owner, group: real.group }),
  };
}

/** The members of a plan that writes one file. */
export function writePlan(changes: Change[], step: WriteStep, target: ReadTarget) {
  return {
    changes,
    predicted: step.facts,
    foresees: foresee(target, { [step.path]: step.after }),
    next: step,
    ...undoMember(plannedUndo(step, target)),
  };
}

function undoMember(undo: WriteUndo | undefined): { undo?: WriteUndo } {
  return undo === undefined ? {} : { undo };
}

/**
 * What undo needs, before the file is written: for a run that dies in it. Also settles where the copy goes.
 * Undefined when no copy is kept.
 */
export function plannedUndo(step: WriteStep, target: ReadTarget): WriteUndo | undefined {
  const { path, content, expected, before, options, facts } = step;
  if (content === undefined) return before && { attributes: before };
  if (expected === undefined) return { file: { path }, written: facts.sha256 };
  if (options.backup === false) return undefined;
  options.copyAs ??= `${backupsOf(target)}/${randomBytes(9).toString('hex')}`;
  const { path: _, ...attributes } = before ?? { path };
  return { file: { path, backup: options.copyAs, sha256: expected, ...attributes }, written: facts.sha256 };
}

/** In check mode an earlier task may be about to make the directory: a warning, and a failure only when it is written. */
export function warnWithoutParent(state: FileState, target: ReadTarget): void {
  if (state.real || state.parent) return;
  target.warn(`${state.path}: its directory does not exist; this fails unless an earlier task makes it`);
}

function refuseOtherTypes(state: FileState): void {
  if (!state.real) {
    refuseBlocked(state);
    return;
  }
  if (state.real.type !== 'file') {
    throw new TaskFailure(`${state.path} is a ${state.real.type}, not a file`, { code: 'not-a-file' });
  }
  if (!state.readable) {
    throw new TaskFailure(`${state.path} cannot be read`, { code: 'permission-denied', hint: 'set become: true' });
  }
}

function contentChange(state: FileState, content: Buffer, sha256: string): Change {
  const summary = `${state.path}: ${state.real ? 'content' : 'create'}`;
  const before = state.real ? textOf(state.content) : '';
  const after = textOf(content);
  if (before !== undefined && after !== undefined) return { summary, before, after, path: state.path };
  return {
    summary,
    path: state.path,
    before: state.real ? { size: state.real.size, sha256: state.sha256 } : null,
    after: { size: content.length, sha256 },
  };
}

/** The change of mode, owner and group, in words and as before and after. */
export function attributesChange(
  path: string,
  present: { mode: number; owner: string; group: string },
  wanted: { mode?: string; owner?: string; group?: string },
): Change {
  const all = { mode: formatMode(present.mode), owner: present.owner, group: present.group };
  const names = (['mode', 'owner', 'group'] as const).filter((name) => wanted[name] !== undefined);
  return {
    summary: `${path}: ${names.map((name) => `${name} ${all[name]} → ${wanted[name]}`).join(', ')}`,
    before: Object.fromEntries(names.map((name) => [name, all[name]])),
    after: Object.fromEntries(names.map((name) => [name, wanted[name]])),
  };
}

/** Text for a diff; undefined for what is not text, or too long. */
function textOf(content: Buffer | undefined): string | undefined {
  if (!content || content.length > DIFF_LIMIT || content.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

const hashes = new WeakMap<Uint8Array, string>();

/** Remembered for bytes: a source is the same for every host, and 50 MB hold the event loop for 50 ms. */
export function sha256Of(content: Uint8Array | string): string {
  const known = typeof content === 'string' ? undefined : hashes.get(content);
  if (known !== undefined) return known;
  const hash = createHash('sha256').update(content).digest('hex');
  if (typeof content !== 'string') hashes.set(content, hash);
  return hash;
}

/** JSON that undoWrite takes; undefined when there is no way back (no backup was wanted). */
export type WriteUndo = { file: FileUndo; written: string } | { attributes: AttributesUndo };

/**
 * Does a step in one round trip.
 * @throws TaskFailure `changed-since-plan` when the file is no longer what the plan saw: it is left alone.
 */
export async function applyWrite(step: WriteStep, target: WriteTarget): Promise<WriteUndo | undefined> {
  if (step.content === undefined) {
    await runOrFail(target, attributesScript(step.path, step.attributes), `${step.path}: attributes`);
    return step.before && { attributes: step.before };
  }
  const { expected, before } = step;
  const { mode = '', owner = '', group = '' } = before ?? {};
  const present = expected === undefined ? 'absent' : { sha256: expected, mode, owner, group };
  try {
    const file = await target.writeFile(step.path, step.content, { ...step.options, present });
    if (file.backup === undefined && expected !== undefined) return undefined;
    return { file, written: step.facts.sha256 };
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'file-changed')
      throw changedSince(`${step.path} changed after the plan was made; it was left as it is`);
    throw error;
  }
}

/**
 * Does many steps: contents together, then those behind links, then the attributes of those whose content is right.
 * @throws TaskFailure `changed-since-plan`; what came before that file is done.
 */
export async function applyWrites(steps: readonly WriteStep[], target: WriteTarget): Promise<void> {
  const files = steps.flatMap((step): BatchFile[] => {
    const { path, content, expected, before, options } = step;
    if (content === undefined || step.link) return [];
    const { mode = '', owner = '', group = '' } = before ?? {};
    const present = expected === undefined ? 'absent' : { sha256: expected, mode, owner, group };
    return [{ path, content, options: { ...options, present } }];
  });
  try {
    if (files.length > 0) await target.writeFiles(files);
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'file-changed')
      throw changedSince(error.message.replace('is no longer what it was', 'changed after the plan was made'));
    throw error;
  }
  for (const step of steps.filter(({ content, link }) => content !== undefined && link)) await applyWrite(step, target);
  const others = steps.filter(({ content }) => content === undefined);
  for (let at = 0; at < others.length; at += AT_ONCE) {
    const some = others.slice(at, at + AT_ONCE);
    const script = some.map(({ path, attributes }) => attributesScript(path, attributes)).join(' && ');
    await runOrFail(target, script, `${some[0]!.path}: attributes`);
  }
}

/** Steps in one script. */
const AT_ONCE = 100;

function changedSince(what: string): TaskFailure {
  return new TaskFailure(what, {
    code: 'changed-since-plan',
    hint: 'run again: the new plan will show the difference',
  });
}

/** Takes a write back. @throws TaskFailure `changed-since-apply` when the file is no longer as it was left. */
export async function undoWrite(undo: WriteUndo | undefined, target: WriteTarget): Promise<void> {
  if (!undo) throw new TaskFailure('there is no way back: no backup was kept', { code: 'no-undo' });
  if ('attributes' in undo) {
    const { path, ...before } = undo.attributes;
    await runOrFail(target, attributesScript(path, before), `${path}: attributes`);
    return;
  }
  const now = await probeFile(target, { path: undo.file.path, hash: true });
  if (undoes(undo, now)) await target.restoreFile(undo.file);
}

/**
 * Takes many writes back, in their order; files that were new go together.
 * @throws TaskFailure `changed-since-apply`; what came before that file is taken back.
 */
export async function undoWrites(undos: readonly WriteUndo[], target: WriteTarget): Promise<void> {
  for (let at = 0; at < undos.length; at += AT_ONCE) {
    const some = undos.slice(at, at + AT_ONCE);
    const states = await probeFiles(
      target,
      some.map((undo) => ({ path: pathOf(undo), hash: true })),
    );
    const gone: string[] = [];
    const remove = async () => {
      if (gone.length > 0)
        await runOrFail(target, `rm -f ${gone.splice(0).map(quotePath).join(' ')}`, pathOf(some[0]!));
    };
    for (const [index, undo] of some.entries()) {
      const isNew = 'file' in undo && undo.file.backup === undefined && states[index]!.entry?.type !== 'link';
      try {
        if (!isNew) await undoWrite(undo, target);
        else if (undoes(undo, states[index]!)) gone.push(pathOf(undo));
      } catch (error) {
        await remove();
        throw error;
      }
    }
    await remove();
  }
}

function pathOf(undo: WriteUndo): string {
  return 'file' in undo ? undo.file.path : undo.attributes.path;
}

/** Whether there is something to put back. @throws TaskFailure when the file is no longer as it was left. */
function undoes(undo: Extract<WriteUndo, { file: FileUndo }>, now: FileState): boolean {
  const { path } = undo.file;
  // Never written, or taken back already by a rollback that was killed: content and attributes go in one step.
  if (now.sha256 === undo.file.sha256 && (now.real === undefined) === (undo.file.backup === undefined)) return false;
  if (now.sha256 === undo.written) return true;
  throw new TaskFailure(`${path} was changed since; it is left as it is`, {
    code: 'changed-since-apply',
    ...(undo.file.backup !== undefined && { hint: `the earlier content is in ${undo.file.backup} on the target` }),
  });
}
