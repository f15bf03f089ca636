import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { EXIT, ReeveError } from '../errors.ts';
import { compileTemplate, type Template } from '../language/template.ts';
import { textStartingAt } from '../language/text-place.ts';
import type { SourceFile } from '../module.ts';

const FOLDERS = ['', 'files', 'templates'];

/** Files of the control machine that tasks name, relative to the playbook; each is read and compiled once a run. */
export class Sources {
  readonly #directory: string;
  readonly #files = new Map<string, Promise<SourceFile>>();
  readonly #templates = new Map<string, Promise<Template>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws ReeveError `source-missing` with the places looked in. */
  file(path: string): Promise<SourceFile> {
    return remember(this.#files, path, () => this.#read(path));
  }

  /** @throws ReeveError with a place inside the file for a template with a mistake. */
  template(path: string): Promise<Template> {
    return remember(this.#templates, path, async () => {
      const file = await this.file(path);
      const text = file.content.toString('utf8');
      return compileTemplate(text, textStartingAt({ file: file.path, line: 1, column: 1 }, text));
    });
  }

  async #read(path: string): Promise<SourceFile> {
    const candidates = isAbsolute(path) ? [path] : FOLDERS.map((folder) => join(this.#directory, folder, path));
    for (const candidate of candidates) {
      const info = await stat(candidate).catch(() => undefined);
      if (!info?.isFile()) continue;
      return {
        path: candidate,
        content: await readFile(candidate),
        mode: (info.mode & 0o7777).toString(8).padStart(4, '0'),
      };
    }
    throw new ReeveError('source-missing', `${path} is not on the control machine`, {
      hint: `looked for ${candidates.join(', ')}`,
      exitCode: EXIT.taskFailed,
    });
  }
}

function remember<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = cache.get(key);
  if (!value) {
    value = make();
    cache.set(key, value);
  }
  return value;
}
