import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EXIT, InvalidError, ReeveError } from '../../errors.ts';
import { makeMemoryFolder, memoryPlaces } from '../../secrets/memory-folder.ts';
import { changedSopsText, newSopsText, readSopsFile } from '../../secrets/sops/file.ts';
import { canAsk } from '../ask.ts';
import { Person } from '../person.ts';
import { reportError } from '../report-error.ts';
import { openEditor } from './editor.ts';
import { Guard } from './guard.ts';
import { recipientsFor } from './recipients.ts';
import { writeFileAtomically } from './write-file.ts';

const NEW_FILE = '# A new file for secrets: a mapping of names and values.\nexample: value\n';

/** `reeve secret edit FILE`: decrypts it in memory, opens the editor, encrypts what comes back. */
export async function edit(file: string, options: Record<string, unknown>): Promise<number> {
  const found = textOf(file);
  const { before, encrypt } = await openForEdit(file, options);
  const folder = makeMemoryFolder(memoryPlaces(process.env));
  const guard = new Guard(folder.remove);
  return guard.around(async () => {
    const path = join(folder.path, basename(file));
    writeFileSync(path, before, { mode: 0o600, flag: 'wx' });
    const result = await editUntilRight(path, before, encrypt, guard);
    if (result === undefined) console.error('nothing was changed');
    else {
      if (textOf(file) !== found) await confirmOverwrite(file);
      writeFileAtomically(file, result);
    }
    return EXIT.done;
  });
}

/** Undefined when there is no such file. */
function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** A pull, or somebody else's edit, must not be lost without a word. */
async function confirmOverwrite(file: string): Promise<void> {
  const what = `${file} was changed by somebody else while it was edited here`;
  if (canAsk() && (await new Person().agrees(`${what}. Overwrite it?`))) return;
  throw new ReeveError('edit-outdated', `${what}; it stays as it is now, and this edit is not kept`, {
    exitCode: EXIT.refused,
  });
}

interface Editing {
  before: string;
  encrypt(text: string): string | Promise<string>;
}

async function openForEdit(file: string, options: Record<string, unknown>): Promise<Editing> {
  if (!existsSync(file)) {
    const { recipients, rules } = recipientsFor(file, options);
    return { before: NEW_FILE, encrypt: (text) => newSopsText(text, file, recipients, rules) };
  }
  const opened = await readSopsFile(file, process.env);
  return { before: opened.text, encrypt: (text) => changedSopsText(opened, text) };
}

/** The encrypted text, or undefined when nothing was changed. A mistake can be mended as long as somebody is there. */
async function editUntilRight(
  path: string,
  before: string,
  encrypt: Editing['encrypt'],
  guard: Guard,
): Promise<string | undefined> {
  for (;;) {
    await openEditor(path, guard);
    const text = readEdited(path);
    if (text === before) return undefined;
    try {
      return await encrypt(text);
    } catch (error) {
      if (!(error instanceof ReeveError)) throw error;
      const told = ofEditedText(error);
      if (!canAsk()) throw told;
      await reportError(told);
      if (!(await new Person().agrees('Edit it again?'))) throw told;
    }
  }
}

function readEdited(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new ReeveError('edit-aborted', 'the editor left no file; nothing was changed', { exitCode: EXIT.refused });
  }
}

/** Its lines are not those of the file on the disk, which must not be shown in their place. */
function ofEditedText(error: ReeveError): ReeveError {
  if (!(error instanceof InvalidError)) return error;
  return new InvalidError(
    error.diagnostics.map(({ place, ...told }) => {
      const message = `${told.message}${place && place.line > 1 ? ` (line ${place.line} of what was edited)` : ''}`;
      return { ...told, message };
    }),
  );
}
