import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** In the environment: the folder of the built program. */
export const PROGRAM = 'REEVE_TEST_PROGRAM';

export const ROOT = resolve(import.meta.dirname, '../..');

/** The program's source, for what is about single modules: in the built program none has a name any more. */
export const SOURCE = join(ROOT, 'runner/cli/main.ts');

/** What `node` runs: built when vitest set it up so, else the source. */
export const MAIN = programFile('runner/cli/main');

/** A file to run or to `--import` beside the program, of the same modules. @param name without its ending, below `test/support` */
export function supportFile(name: string): string {
  return programFile(`test/support/${name}`);
}

/** {@link supportFile} for `--import`. */
export function supportUrl(name: string): string {
  return pathToFileURL(supportFile(name)).href;
}

function programFile(name: string): string {
  const folder = process.env[PROGRAM];
  return folder ? join(folder, `${name}.js`) : join(ROOT, `${name}.ts`);
}
