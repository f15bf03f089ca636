/**
 * `npm pack` publishes this folder's package.json as it is; the optional packages that pin Node for a checkout, and those
 * that are in the program already, are not for those who install reeve. `strip` takes them out before packing, `restore`
 * puts the file back afterwards.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BUNDLED } from './bundled.ts';

const FILE = fileURLToPath(new URL('../../package.json', import.meta.url));
const KEPT = `${FILE}.kept`;

function strip(): void {
  // A pack that was cut off has left the whole file behind: that one is the truth.
  if (existsSync(KEPT)) renameSync(KEPT, FILE);
  copyFileSync(FILE, KEPT);
  const {
    optionalDependencies: _o,
    devDependencies: _d,
    allowScripts: _a,
    dependencies: all,
    ...published
  } = JSON.parse(readFileSync(FILE, 'utf8')) as { dependencies: Record<string, string> } & Record<string, unknown>;
  const dependencies = Object.fromEntries(Object.entries(all).filter(([name]) => !BUNDLED.includes(name)));
  writeFileSync(FILE, `${JSON.stringify({ ...published, dependencies }, undefined, 2)}\n`);
}

function restore(): void {
  if (existsSync(KEPT)) renameSync(KEPT, FILE);
}

const step = process.argv[2];
if (step === 'strip') strip();
else if (step === 'restore') restore();
else throw new Error('say strip or restore');
