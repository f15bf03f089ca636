import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';

/** Types of file systems that are only in memory (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** A folder of this user alone, in memory, for texts that must not touch the disk. */
export interface MemoryFolder {
  path: string;
  /** Removes it with all that is in it; safe to be called again. */
  remove(): void;
}

/** Where such a folder may be made, the best first. */
export function memoryPlaces(environment: Readonly<Record<string, string | undefined>>): string[] {
  return [environment.XDG_RUNTIME_DIR ?? '', '/dev/shm'].filter((path) => path !== '');
}

/** @throws ReeveError `no-memory-folder` when none of the places is in memory. */
export function makeMemoryFolder(places: readonly string[]): MemoryFolder {
  const place = places.find(isInMemory);
  if (place === undefined) {
    throw new ReeveError(
      'no-memory-folder',
      'there is no folder in memory to edit in, and plain text must not touch the disk',
      {
        hint: `none of these is a tmpfs that can be written to: ${places.join(', ')}; set XDG_RUNTIME_DIR to one`,
        exitCode: EXIT.invalid,
      },
    );
  }
  const path = mkdtempSync(join(place, 'reeve-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function isInMemory(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return IN_MEMORY.has(statfsSync(path).type >>> 0);
  } catch {
    return false;
  }
}
