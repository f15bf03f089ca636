import { dirname, isAbsolute, join, resolve } from 'node:path';
import { InvalidError } from '../errors.ts';
import type { Document } from '../load/document.ts';
import { loadDocument } from '../load/parse.ts';
import { describeValue } from '../validate/schema/describe.ts';
import { type IncludeLink, type ParseContext, placeOf, type Spot } from './context.ts';

/** Steps of a whole playbook, included ones counted each time: files that include each other twice grow without end. */
const MAX_STEPS = 20_000;
const MAX_INCLUDE_DEPTH = 50;

interface Opened {
  items: readonly unknown[];
  spot: Spot;
  chain: readonly IncludeLink[];
}

/** Opens the tasks file that an include names; undefined, with a diagnostic, when that fails. */
export function openInclude(
  context: ParseContext,
  name: string,
  spot: Spot,
  chain: readonly IncludeLink[],
): Opened | undefined {
  const place = placeOf(spot);
  if (name.includes('{{')) {
    context.error('include-template', 'the file of an `include` is fixed; a template cannot name it', place, {
      hint: 'write one include for each file, each with its `when`',
    });
    return undefined;
  }
  const file = resolve(dirname(spot.document.file), name);
  const links = [...chain, { file: resolve(spot.document.file), place }];
  if (links.some((link) => link.file === file)) {
    context.error('include-cycle', `${name} includes itself`, place, {
      related: links.map((link) => ({ message: 'included here', place: link.place })),
    });
    return undefined;
  }
  if (links.length > MAX_INCLUDE_DEPTH || context.steps > MAX_STEPS) {
    context.error('too-many-includes', 'the includes stand for too many tasks', place);
    return undefined;
  }
  const document = openDocument(context, file, name, spot);
  if (!document) return undefined;
  if (!Array.isArray(document.value)) {
    context.error(
      'wrong-type',
      `a tasks file must be a list of tasks, not ${describeValue(document.value)}`,
      document.place([]),
      {
        related: [{ message: 'included here', place }],
      },
    );
    return undefined;
  }
  return { items: document.value, spot: { document, path: [] }, chain: links };
}

/** Reads a tasks file once; what is wrong with it is reported once as well. */
function openDocument(context: ParseContext, file: string, name: string, spot: Spot): Document | undefined {
  const known = context.documents.get(file);
  if (known) return known;
  // Shown as the including file was named, so that a message has a path that works from where the user is.
  const shown = resolve(spot.document.file) === spot.document.file ? file : joinShown(spot.document.file, name);
  try {
    const document = loadDocument(shown, {
      from: placeOf(spot),
      ...(context.opener ? { opener: context.opener } : {}),
    });
    context.documents.set(file, document);
    return document;
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    context.diagnostics.push(...error.diagnostics);
    return undefined;
  }
}

function joinShown(from: string, name: string): string {
  return isAbsolute(name) ? name : join(dirname(from), name);
}
