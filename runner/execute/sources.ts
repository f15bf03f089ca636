import { stat } from 'node:fs/promises';
import { EXIT, ReeveError } from '../errors.ts';
import { compileTemplate, type Template } from '../language/template.ts';
import { textStartingAt } from '../language/text-place.ts';
import { sourceCandidates } from '../load/source-candidates.ts';
import type { SourceFile, SourceTree } from '../module.ts';
import { octal, readSource, readTree } from './source-tree.ts';

/**
 * Files of the control machine that tasks name, relative to the playbook. Each is read once for all the hosts of a task; a
 * template is compiled once a run.
 */
export class Sources {
  readonly #directory: string;
  readonly #files = new Map<string, Promise<SourceFile>>();
  readonly #templates = new Map<string, Promise<Template>>();
  readonly #trees = new Map<string, Promise<SourceTree | undefined>>();

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

  /** A directory with all that is below it, in alphabetical order; undefined when the path is no directory. */
  tree(path: string): Promise<SourceTree | undefined> {
    return remember(this.#trees, path, () => this.#readTree(path));
  }

  /** Lets go of what was read: the next task may want it as it is then, and 50 MB are not kept for one that never asks. */
  forget(): void {
    this.#files.clear();
    this.#trees.clear();
  }

  #candidates(path: string): string[] {
    return sourceCandidates(this.#directory, path);
  }

  async #readTree(path: string): Promise<SourceTree | undefined> {
    for (const root of this.#candidates(path)) {
      const info = await stat(root).catch(() => undefined);
      if (info?.isDirectory()) return readTree(root);
    }
    return undefined;
  }

  async #read(path: string): Promise<SourceFile> {
    const candidates = this.#candidates(path);
    for (const candidate of candidates) {
      const info = await stat(candidate).catch(() => undefined);
      if (info?.isFile()) return { path: candidate, content: await readSource(candidate), mode: octal(info.mode) };
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
