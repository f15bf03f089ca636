import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';
import type { SourceTree } from '../module.ts';

/**
 * A directory of the control machine with all that is below it, in alphabetical order; links are followed.
 * @throws ReeveError `source-unreadable` for what cannot be copied: it is never left out in silence.
 */
export async function readTree(root: string): Promise<SourceTree> {
  const tree: SourceTree = { path: root, directories: [], files: [] };
  await readBelow(tree, '', [await realpath(root)]);
  tree.directories.sort(byPath);
  tree.files.sort(byPath);
  return tree;
}

/** @throws ReeveError `source-unreadable` */
export async function readSource(path: string): Promise<Buffer> {
  return explained(path, () => readFile(path));
}

export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** @param above Where the directories on the way down really are: a link to one of them leads round in circles. */
async function readBelow(tree: SourceTree, folder: string, above: readonly string[]): Promise<void> {
  const names = await explained(join(tree.path, folder), () =>
    readdir(join(tree.path, folder), { encoding: 'buffer' }),
  );
  for (const bytes of names) {
    const name = bytes.toString();
    const path = folder ? `${folder}/${name}` : name;
    const full = join(tree.path, path);
    if (!Buffer.from(name).equals(bytes)) throw unreadable(full, 'its name is not UTF-8', 'Rename it.');
    const info = await explained(full, () => stat(full));
    if (info.isDirectory()) {
      const real = await realpath(full);
      if (above.includes(real)) throw unreadable(full, 'it leads back to a directory that it is in');
      tree.directories.push({ path, mode: octal(info.mode) });
      await readBelow(tree, path, [...above, real]);
    } else if (info.isFile()) {
      tree.files.push({ path, content: await readSource(full), mode: octal(info.mode) });
    } else throw unreadable(full, 'it is neither a file nor a directory');
  }
}

async function explained<T>(path: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const link = code === 'ENOENT' && (await lstat(path).catch(() => undefined))?.isSymbolicLink();
    if (link) throw unreadable(path, 'it is a link that leads nowhere', undefined, error);
    if (code === 'ELOOP') throw unreadable(path, 'it is a link that leads to itself', undefined, error);
    if (code === 'EACCES') throw unreadable(path, 'this user may not read it', 'Check its owner and mode.', error);
    throw unreadable(path, message, undefined, error);
  }
}

function unreadable(path: string, why: string, hint = 'Mend it or remove it.', cause?: unknown) {
  return new ReeveError('source-unreadable', `${path} cannot be copied from the control machine: ${why}`, {
    hint,
    cause,
    exitCode: EXIT.taskFailed,
  });
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1;
}
