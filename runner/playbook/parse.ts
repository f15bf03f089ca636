import { basename, dirname } from 'node:path';
import { type Diagnostic, InvalidError } from '../errors.ts';
import type { Document } from '../load/document.ts';
import type { Opener } from '../load/opener.ts';
import { loadDocument } from '../load/parse.ts';
import { describeValue } from '../validate/schema/describe.ts';
import { ParseContext, placeOf } from './context.ts';
import { Entries, isMapping, readEntries } from './entries.ts';
import { withoutUndefined } from './inherited.ts';
import { parseInputs } from './inputs.ts';
import type { Playbook } from './model.ts';
import { parsePlays, tasksAsPlay } from './play.ts';
import type { Registry } from './registry.ts';

export interface Parsed {
  /** As much of the playbook as could be understood; undefined when it is none at all. */
  playbook: Playbook | undefined;
  /** All that is wrong with its form; what it means is for validatePlaybook. */
  diagnostics: Diagnostic[];
  /** The playbook's document and those of the files it includes, for source lines. */
  documents: Document[];
}

/** Reads a playbook and all it includes. Throws InvalidError with all that is wrong with its form. */
export function loadPlaybook(file: string, registry: Registry): Playbook {
  const { playbook, diagnostics } = parsePlaybook(loadDocument(file), registry);
  if (!playbook || diagnostics.some((d) => d.severity === 'error')) throw new InvalidError(diagnostics);
  return playbook;
}

/**
 * Makes the model of a playbook from its document; every template and expression is compiled once, here. `opener` opens
 * the secrets of files that it includes.
 */
export function parsePlaybook(document: Document, registry: Registry, opener?: Opener): Parsed {
  const context = new ParseContext(registry, opener);
  const spot = { document, path: [] };
  const result = (playbook?: Playbook): Parsed => ({
    playbook,
    diagnostics: context.diagnostics,
    documents: [document, ...context.documents.values()],
  });
  if (!isMapping(document.value)) {
    rejectRoot(context, document);
    return result();
  }
  const entries = readEntries(context, document.value, spot, 'playbook');
  if (!entries) return result();
  if (!('plays' in document.value)) {
    context.error('missing-keyword', 'a playbook needs `plays`', placeOf(spot));
  }
  return result(makePlaybook(context, document, entries));
}

/** Reads a tasks file by itself, as the tasks of one play on no particular hosts. */
export function parseTasksFile(document: Document, registry: Registry, opener?: Opener): Parsed {
  const context = new ParseContext(registry, opener);
  const playbook = makePlaybook(context, document, new Entries(context, { document, path: [] }, 'playbook', {}));
  playbook.plays = [tasksAsPlay(context, document)];
  return { playbook, diagnostics: context.diagnostics, documents: [document, ...context.documents.values()] };
}

function makePlaybook(context: ParseContext, document: Document, entries: Entries): Playbook {
  return withoutUndefined({
    file: document.file,
    document,
    directory: dirname(document.file),
    name: entries.literal<string>('name') ?? basename(document.file).replace(/\.(ya?ml|json)$/, ''),
    description: entries.literal<string>('description'),
    notes: [entries.literal<string | string[]>('notes') ?? []].flat(),
    inputs: parseInputs(context, entries.literal<Record<string, unknown>>('inputs') ?? {}, entries.at('inputs')),
    vars: entries.vars(),
    approval: entries.template('approval'),
    lock: entries.template('lock'),
    plays: parsePlays(context, entries.list('plays'), entries.at('plays')),
  }) as Playbook;
}

/** A list at the top is Ansible's form of a playbook, or a tasks file. */
function rejectRoot(context: ParseContext, document: Document): void {
  const { value } = document;
  const place = document.place([]);
  if (!Array.isArray(value)) {
    context.error('wrong-type', `a playbook must be a mapping, not ${describeValue(value)}`, place);
  } else if (value.some((item) => isMapping(item) && ('hosts' in item || 'import_playbook' in item))) {
    context.error('playbook-is-list', 'a playbook is a mapping; a list of plays stands under its key `plays`', place, {
      hint: 'write `plays:` above the list and indent the list by two spaces',
    });
    // What else is to be changed is worth knowing now.
    parsePlays(context, value, { document, path: [] });
  } else {
    context.error('playbook-is-list', 'a playbook is a mapping, not a list; is this a tasks file?', place, {
      hint: 'a tasks file is used by `include: FILE` in a playbook',
    });
  }
}
