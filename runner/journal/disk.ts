import { closeSync, fsync, openSync, readdirSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** What the journal asks of the system: a test puts one in its place that loses what was not synced. */
export interface Disk {
  /** Opens a file for appending, mode 0600. */
  open(file: string): number;
  /** Takes some of the bytes, as write(2) does; gives how many. */
  write(descriptor: number, bytes: Buffer, from: number): number;
  /** Resolves when what was written survives a loss of power. */
  sync(descriptor: number): Promise<void>;
  close(descriptor: number): void;
}

export const DISK: Disk = {
  open: (file) => openSync(file, 'a', 0o600),
  write: (descriptor, bytes, from) => writeSync(descriptor, bytes, from),
  sync: (descriptor) =>
    new Promise((resolve, reject) => fsync(descriptor, (error) => (error ? reject(error) : resolve()))),
  close: closeSync,
};

/** Puts a run's folder on disk, names and all: a journal is worth little when its folder is lost with the power. */
export async function syncFolder(folder: string): Promise<void> {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  await Promise.all([folder, join(folder, '..'), ...paths].map(syncPath));
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems do not sync a directory, and have no need to.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}
