import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of a host that change without anybody's doing: runtime state, scratch space, logs, the lab's own files. */
const leftOut = new Set(['run', 'tmp', 'lab', 'var/log']);

/** Every file, folder and link below a host's root, with kind, mode and a hash of its content. */
export function treeOf(root: string): Map<string, string> {
  const tree = new Map<string, string>();
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort(byName)) {
      const path = join(folder, entry.name);
      if (leftOut.has(path)) continue;
      const mode = (lstatSync(join(root, path)).mode & 0o7777).toString(8);
      tree.set(path, `${kindOf(entry)} ${mode} ${contentOf(join(root, path), entry)}`);
      if (entry.isDirectory()) walk(path);
    }
  };
  walk('');
  return tree;
}

/** One hash over lines of any kind. */
export function hashOf(lines: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest('hex');
}

function kindOf(entry: Dirent): string {
  if (entry.isDirectory()) return 'folder';
  if (entry.isSymbolicLink()) return 'link';
  return entry.isFile() ? 'file' : 'special';
}

function contentOf(path: string, entry: Dirent): string {
  if (entry.isSymbolicLink()) return readlinkSync(path);
  return entry.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}
