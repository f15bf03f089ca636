/** Edits of a text file: read and decided in one round trip, written back atomically and only over what was read. */
import { type Plan, type ReadTarget, TaskFailure } from '../../runner/module.ts';
import { modeArgument } from './mode.ts';
import { probeFile } from './stat.ts';
import { decodeText, type TextDocument } from './text.ts';
import { planWrite, type WantedFile, type WriteStep, warnWithoutParent, writeArguments, writePlan } from './write.ts';

/** The arguments that all editing modules take. */
export const editArguments = {
  path: { type: 'string', minLength: 1, description: 'File on the target; links are followed.' },
  create: { type: 'boolean', default: false, description: 'Make the file when it does not exist.' },
  mode: modeArgument,
  ...writeArguments,
} as const;

export interface EditArgs extends Omit<WantedFile, 'content'> {
  path: string;
  create?: boolean;
  /** True when a file that does not exist is already as wanted. */
  missingIsFine?: boolean;
}

/**
 * Plans an edit.
 * @param edit gives the new text, in the document's own form.
 * @throws TaskFailure `file-missing`, and `not-idempotent` when the same edit would change its own result again.
 */
export async function planEdit(
  args: EditArgs,
  target: ReadTarget,
  edit: (text: string, document: TextDocument) => string,
): Promise<Plan<WriteStep>> {
  const { path, create, missingIsFine, ...wanted } = args;
  const state = await probeFile(target, { path, content: 'always' });
  if (!state.real && missingIsFine) return { changes: [], facts: { path: state.path } };
  if (!state.real && !create) {
    throw new TaskFailure(`${state.path} does not exist`, { code: 'file-missing', hint: 'create: true makes it' });
  }
  const document = decodeText(state.content ?? Buffer.alloc(0), state.path);
  const text = edit(document.text, document);
  if (text !== document.text && edit(text, document) !== text) throw neverSettles(state.path);
  const { changes, step, facts } = planWrite(state, { ...wanted, content: document.encode(text) });
  if (!step) return { changes, facts };
  warnWithoutParent(state, target);
  return writePlan(changes, step, target);
}

function neverSettles(path: string): TaskFailure {
  return new TaskFailure(`${path}: this edit would change its own result again on every run`, {
    code: 'not-idempotent',
    hint: 'make the pattern so that it does not match what it is replaced by, for instance with ^ and $',
  });
}
