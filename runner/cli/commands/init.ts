import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { quoteWord } from '../../connect/quote.ts';
import { EXIT } from '../../errors.ts';
import { makeFolders } from '../../journal/folder.ts';
import { STARTER_FILES } from '../init/files.ts';
import { UsageError } from '../report-error.ts';

/** `reeve init [FOLDER]`: a starter project. Writes nothing when one of its files is there already. */
export async function init(folder = '.'): Promise<number> {
  const names = Object.keys(STARTER_FILES);
  const present = names.filter((name) => existsSync(join(folder, name)));
  if (present.length > 0) {
    const paths = present.map((name) => join(folder, name)).join(', ');
    throw new UsageError(
      `nothing was written, because ${present.length === 1 ? 'a file is' : 'files are'} there already: ${paths}`,
      'choose another folder: reeve init FOLDER',
    );
  }
  for (const [name, content] of Object.entries(STARTER_FILES)) {
    const path = join(folder, name);
    try {
      makeFolders(dirname(path), 0o777);
      // `wx`: what came into being meanwhile is not overwritten either.
      await writeFile(path, content, { flag: 'wx' });
    } catch (cause) {
      throw new UsageError(
        `${path} cannot be written: ${(cause as Error).message}`,
        'choose another folder: reeve init FOLDER',
      );
    }
    console.log(path);
  }
  const go = folder === '.' ? '' : `cd ${/^[\w./-]+$/.test(folder) ? folder : quoteWord(folder)} && `;
  console.log(`\nNext: ${go}reeve run playbooks/hello.yaml --check`);
  return EXIT.done;
}
