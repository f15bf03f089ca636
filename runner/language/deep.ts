import { ReeveError } from '../errors.ts';
import { isMapping } from './access.ts';
import type { Scope } from './lazy.ts';
import { Raw } from './raw.ts';
import type { Reference } from './reference.ts';
import { Sealed } from './sealed.ts';
import { compileTemplate } from './template.ts';
import type { TextPlace } from './text-place.ts';

/** Where the string at a path of keys and indexes inside a value stands. */
export type Locate = (path: readonly (string | number)[]) => TextPlace;

/** A value whose templates are compiled, at any depth. */
export interface Compiled {
  /** True when nothing has to be rendered: `render` then answers the same object each time, which nobody may change. */
  readonly isStatic: boolean;
  readonly references: readonly Reference[];
  /** The value with every template rendered; a leaf that is not known yet is an `Unknown` in it. */
  render(scope: Scope): unknown;
}

/**
 * Compiles every string in a mapping or list; keys are not templates. `Raw` strings, and strings at paths for which
 * `isRaw` is true, stay as they are; a `Sealed` value is opened when it is rendered.
 * @param onError gets each mistake, so that a validator can collect them all; without it the first one is thrown.
 * @throws ReeveError with a place for a template with a mistake.
 */
export function compileDeep(
  value: unknown,
  locate: Locate,
  isRaw: (path: readonly (string | number)[]) => boolean = () => false,
  onError?: (error: ReeveError) => void,
): Compiled {
  const references: Reference[] = [];
  const path: (string | number)[] = [];

  const visit = (child: unknown): Part => {
    if (child instanceof Raw) return { isStatic: true, value: child.text };
    if (child instanceof Sealed) return { isStatic: false, render: () => child.open() };
    if (typeof child === 'string') return isRaw(path) ? { isStatic: true, value: child } : text(child);
    if (Array.isArray(child)) return listPart(child.map((item, index) => inside(index, item)));
    if (isMapping(child)) {
      return mappingPart(Object.entries(child).map(([key, item]) => [key, inside(key, item)] as const));
    }
    return { isStatic: true, value: child };
  };
  const inside = (key: string | number, child: unknown): Part => {
    path.push(key);
    const part = visit(child);
    path.pop();
    return part;
  };
  const text = (source: string): Part => {
    try {
      const template = compileTemplate(source, locate([...path]));
      references.push(...template.references);
      if (template.isStatic) return { isStatic: true, value: template.render(NO_NAMES) };
      return { isStatic: false, render: (scope) => template.render(scope) };
    } catch (error) {
      if (!onError || !(error instanceof ReeveError)) throw error;
      onError(error);
      return { isStatic: true, value: source };
    }
  };

  const root = visit(value);
  return { isStatic: root.isStatic, references, render: root.isStatic ? () => root.value : root.render };
}

/** Renders every string of a value at once; for values that are rendered once only. */
export function renderDeep(value: unknown, scope: Scope, locate: Locate): unknown {
  return compileDeep(value, locate).render(scope);
}

type Part = { isStatic: true; value: unknown } | { isStatic: false; render: (scope: Scope) => unknown };

const NO_NAMES: Scope = { get: () => undefined, has: () => false, names: () => [] };

function listPart(parts: Part[]): Part {
  if (parts.every((part) => part.isStatic)) return { isStatic: true, value: parts.map((part) => part.value) };
  return { isStatic: false, render: (scope) => parts.map((part) => renderPart(part, scope)) };
}

function mappingPart(entries: (readonly [string, Part])[]): Part {
  if (entries.every(([, part]) => part.isStatic)) {
    return { isStatic: true, value: build(entries, (part) => (part.isStatic ? part.value : undefined)) };
  }
  return { isStatic: false, render: (scope) => build(entries, (part) => renderPart(part, scope)) };
}

// fromEntries rather than assignment: a key named __proto__ must stay a key
function build(entries: (readonly [string, Part])[], readPart: (part: Part) => unknown): unknown {
  return Object.fromEntries(entries.map(([key, part]) => [key, readPart(part)]));
}

function renderPart(part: Part, scope: Scope): unknown {
  return part.isStatic ? part.value : part.render(scope);
}
