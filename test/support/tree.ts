import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What one entry of a folder is, as far as a test may compare it. */
export interface TreeEntry {
  type: 'file' | 'directory' | 'link' | 'other';
  /** Octal text, four digits. */
  mode: string;
  uid: number;
  gid: number;
  /** Content of a file, target of a link; latin1, so that no byte is lost. */
  content: string;
  /** nanoseconds; only there when `times` is asked for. */
  mtime?: bigint;
}

/** Everything below a folder (and the folder itself as ``), by path: what «nothing changed» is compared with. */
export function snapshotTree(root: string, options: { times?: boolean } = {}): Record<string, TreeEntry> {
  const entries: Record<string, TreeEntry> = {};
  const visit = (relative: string) => {
    const path = join(root, relative);
    const stat = lstatSync(path, { bigint: true });
    const type = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'other';
    const entry: TreeEntry = {
      type,
      mode: (Number(stat.mode) & 0o7777).toString(8).padStart(4, '0'),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      content:
        type === 'file'
          ? readFileSync(path).toString('latin1')
          : type === 'link'
            ? readlinkSync(path, { encoding: 'latin1' })
            : '',
    };
    if (options.times) entry.mtime = stat.mtimeNs;
    entries[relative] = entry;
    if (type === 'directory') for (const name of readdirSync(path).sort()) visit(join(relative, name));
  };
  visit('');
  return entries;
}
