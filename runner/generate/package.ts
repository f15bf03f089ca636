/**
 * `npm pack` publishes this folder's package.json as it is; the optional packages that pin Node for a checkout are not
 * for those who install reeve. `strip` takes them out before packing, `restore` puts the file back afterwards.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../package.json', import.meta.url));
const KEPT = `${FILE}.kept`;

function strip(): void {
  // A pack that was cut off has left the whole file behind: that one is the truth.
  if (existsSync(KEPT)) renameSync(KEPT, FILE);
  copyFileSync(FILE, KEPT);
  const { optionalDependencies: _o, devDependencies: _d, allowScripts: _a, ...published } = JSON.parse(readFileSync(FILE, 'utf8'));
  writeFileSync(FILE, `${JSON.stringify(published, undefined, 2)}\n`);
}

function restore(): void {
  if (existsSync(KEPT)) renameSync(KEPT, FILE);
}

const step = process.argv[2];
if (step === 'strip') strip();
else if (step === 'restore') restore();
else throw new Error('say strip or restore');
