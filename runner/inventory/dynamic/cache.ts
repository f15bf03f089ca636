import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Document } from '../../load/document.ts';
import type { JsonInventory } from '../json-inventory.ts';
import type { FetchOptions } from './fetch.ts';
import { durationOption } from './options.ts';

/**
 * The kept answer of a plugin when it is young enough, else a new one, which is kept. An answer belongs to the text of
 * the plugin's file and to what it is `about` beside that: whoever changes an option asks anew. An answer that is too old is never used, whatever fails.
 */
export async function cached(
  document: Document,
  options: FetchOptions,
  about: string,
  ask: () => Promise<JsonInventory>,
): Promise<JsonInventory> {
  const keep = durationOption(document, 'cache', (document.value as { cache?: unknown }).cache, 0);
  if (keep <= 0 || options.cacheFolder === undefined) return ask();
  const id = createHash('sha256')
    .update(`${resolve(document.file)}\n${document.text}\n${about}`)
    .digest('hex');
  const file = join(options.cacheFolder, `${id}.json`);
  const known = options.refresh === true ? undefined : read(file, keep);
  if (known) return known;
  const fresh = await ask();
  write(options.cacheFolder, file, fresh);
  return fresh;
}

function read(file: string, keep: number): JsonInventory | undefined {
  try {
    const age = Date.now() - statSync(file).mtimeMs;
    if (age < 0 || age > keep) return undefined;
    return JSON.parse(readFileSync(file, 'utf8')) as JsonInventory;
  } catch {
    // Not there, or cut off: asking is always right.
    return undefined;
  }
}

/** Host names and addresses are nobody else's business. */
function write(folder: string, file: string, inventory: JsonInventory): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const beside = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(beside, JSON.stringify(inventory), { mode: 0o600 });
  renameSync(beside, file);
}
