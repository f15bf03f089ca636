import { isAbsolute, join } from 'node:path';

/** Folders beside a playbook in which files that tasks name are looked for, in this order. */
const FOLDERS = ['', 'files', 'templates'];

/** The paths at which a file of the control machine that a task names may be, the first that exists wins. */
export function sourceCandidates(playbookDirectory: string, path: string): string[] {
  return isAbsolute(path) ? [path] : FOLDERS.map((folder) => join(playbookDirectory, folder, path));
}
