import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { EXIT, ReeveError } from '../../errors.ts';
import type { Guard } from './guard.ts';

const NO_TRACES = 'noundofile nobackup nowritebackup';
const QUIET_VIM = `-n -i NONE -c 'set ${NO_TRACES}'`;
/** Read by a vim that is called `vi`, or by a script, in the place of its vimrc; no other editor looks at it. */
const VIMINIT = `set viminfo= noswapfile ${NO_TRACES}`;

/**
 * Opens a file in the person's editor and waits for it.
 * @throws ReeveError `edit-aborted` when the editor fails.
 */
export async function openEditor(file: string, guard: Guard): Promise<void> {
  const editor = process.env.VISUAL || process.env.EDITOR || 'vi';
  // As git does: the variable may hold options, the file is an argument.
  const child = spawn('sh', ['-c', `${inPlace(withoutTraces(editor))} "$1"`, 'sh', file], {
    stdio: 'inherit',
    env: isVim(editor) ? process.env : { ...process.env, VIMINIT },
  });
  await guard.during(child, () => ended(child));
}

async function ended(child: ChildProcess): Promise<void> {
  const how = await new Promise<string | undefined>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  if (how === undefined) return;
  throw new ReeveError('edit-aborted', `the editor ended with ${how}; nothing was changed`, {
    hint: 'VISUAL or EDITOR names the editor',
    exitCode: EXIT.refused,
  });
}

/** Takes the place of the shell, so that what ends the one ends the other; a whole script cannot. */
function inPlace(editor: string): string {
  return /[=;&|<>(){}`$\n]/.test(editor) || /^\s*exec\s/.test(editor) ? editor : `exec ${editor}`;
}

/** Vim keeps swap files, backups, an undo history and registers, partly in the home folder: on the disk. */
function withoutTraces(editor: string): string {
  return isVim(editor) ? `${editor} ${QUIET_VIM}` : editor;
}

function isVim(editor: string): boolean {
  return /^(?:n?vim|vim\.\w+)$/.test(basename(editor.trim().split(/\s/, 1)[0]!));
}
