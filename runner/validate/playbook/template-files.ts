import { readFileSync, statSync } from 'node:fs';
import type { Diagnostic } from '../../errors.ts';
import { compileTemplate } from '../../language/template.ts';
import { textStartingAt } from '../../language/text-place.ts';
import type { Reference } from '../../language/types.ts';
import { sourceCandidates } from '../../load/source-candidates.ts';
import { diagnosticOf } from '../../playbook/context.ts';
import type { Task } from '../../playbook/model.ts';
import type { Registry } from '../../playbook/registry.ts';

export interface TemplateUse {
  references: readonly Reference[];
  diagnostics: Diagnostic[];
  /** False when which file it is, or whether it will be there, is only known in the run. */
  allRead: boolean;
}

/** A template larger than this is looked at in the run only. */
const MAX_BYTES = 1024 * 1024;

/** Reads the template files that tasks name, each once. */
export class TemplateFiles {
  readonly #directory: string;
  readonly #registry: Registry;
  readonly #read = new Map<string, TemplateUse>();

  constructor(playbookDirectory: string, registry: Registry) {
    this.#directory = playbookDirectory;
    this.#registry = registry;
  }

  /** What the templates of a task use, and what is wrong with them. */
  of(task: Task): TemplateUse {
    const written = task.argsAt.value as Record<string, unknown> | null;
    const names = this.#registry.get(task.module)?.templateSources ?? [];
    const uses = names
      .filter((name) => typeof written?.[name] === 'string')
      .map((name) => this.#use(String(written![name]), task, name));
    return {
      references: uses.flatMap((use) => use.references),
      diagnostics: uses.flatMap((use) => use.diagnostics),
      allRead: uses.every((use) => use.allRead),
    };
  }

  #use(path: string, task: Task, argument: string): TemplateUse {
    if (path.includes('{{')) return { references: [], diagnostics: [], allRead: false };
    const candidates = sourceCandidates(this.#directory, path);
    const file = candidates.find(isReadable);
    if (file === undefined) return missing(path, candidates, task, argument);
    const known = this.#read.get(file) ?? readTemplate(file);
    this.#read.set(file, known);
    return known;
  }
}

function isReadable(file: string): boolean {
  try {
    const info = statSync(file);
    return info.isFile() && info.size <= MAX_BYTES;
  } catch {
    return false;
  }
}

/** A warning: an earlier task may still make the file. */
function missing(path: string, candidates: string[], { argsAt }: Task, argument: string): TemplateUse {
  const diagnostic: Diagnostic = {
    code: 'source-missing',
    severity: 'warning',
    message: `${path} is not on the control machine`,
    place: argsAt.document.place([...argsAt.path, argument]),
    hint: `looked for ${candidates.join(', ')}`,
  };
  return { references: [], diagnostics: [diagnostic], allRead: false };
}

function readTemplate(file: string): TemplateUse {
  try {
    const text = readFileSync(file, 'utf8');
    const template = compileTemplate(text, textStartingAt({ file, line: 1, column: 1 }, text));
    return { references: template.references, diagnostics: [], allRead: true };
  } catch (error) {
    return { references: [], diagnostics: [diagnosticOf(error)], allRead: true };
  }
}
