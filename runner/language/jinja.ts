import { EXIT, ReeveError } from '../errors.ts';
import { isMapping } from './access.ts';
import type { Compiled, Locate } from './deep.ts';
import { Raw } from './raw.ts';
import type { Reference } from './reference.ts';
import { Sealed } from './sealed.ts';
import { rewriteFilters } from './template-foreign.ts';

type Path = readonly (string | number)[];

const JINJA = /\{\{|\{%|\{#/;

/** True when Ansible would render this text. */
export function isJinja(text: string): boolean {
  return JINJA.test(text);
}

/**
 * Compiles a value of a file in Ansible's dialect: it is data, not a template. What Ansible would render is an error
 * when it is used, since Jinja is not part of the language; what is sealed is opened then.
 */
export function compileForeign(value: unknown, locate: Locate): Compiled {
  if (isPlainData(value)) return new PlainData(value);
  return { isStatic: false, references: [], render: () => resolve(value, [], locate) };
}

/** A value in which nothing is to be rendered. */
export class PlainData implements Compiled {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  get isStatic(): true {
    return true;
  }

  get references(): readonly Reference[] {
    return NO_REFERENCES;
  }

  render(): unknown {
    return this.#value;
  }
}

const NO_REFERENCES: readonly Reference[] = [];

function isPlainData(value: unknown): boolean {
  if (typeof value === 'string') return !isJinja(value);
  if (Array.isArray(value)) return value.every(isPlainData);
  if (isMapping(value)) return Object.values(value).every(isPlainData);
  return !(value instanceof Sealed) && !(value instanceof Raw);
}

function resolve(value: unknown, path: Path, locate: Locate): unknown {
  if (typeof value === 'string') {
    if (isJinja(value)) throw jinjaError(value, path, locate);
    return value;
  }
  if (value instanceof Raw) return value.text;
  if (value instanceof Sealed) return value.open();
  if (Array.isArray(value)) return value.map((item, index) => resolve(item, [...path, index], locate));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, [...path, key], locate)]));
}

function jinjaError(text: string, path: Path, locate: Locate): ReeveError {
  const form = toHandlebars(text);
  const hint = form
    ? `write \`${form}\` in a file that says \`reeve: 1\`, or in \`vars\` of the playbook`
    : 'it has no direct form here: compute the value in `vars` of the playbook (helpers stand first: `{{lower name}}`)';
  return new ReeveError('jinja-value', `this value is a Jinja template (${shorten(text)}); it cannot be used here`, {
    place: locate(path).placeAt(text.search(JINJA)),
    hint,
    exitCode: EXIT.invalid,
  });
}

/** The same text as a Handlebars template, or undefined when it holds more than names and filters that have a helper. */
export function toHandlebars(text: string): string | undefined {
  if (/\{%|\{#/.test(text)) return undefined;
  let isWhole = true;
  const rewritten = text.replace(/\{\{([-+]?)(.*?)([-+]?)\}\}/gs, (tag, before: string, content: string, after) => {
    const form = before || after ? undefined : rewriteExpression(content.trim());
    if (form === undefined) isWhole = false;
    return form ?? tag;
  });
  return isWhole && !/\{\{(?![^{}]*\}\})/.test(rewritten) ? rewritten : undefined;
}

function rewriteExpression(content: string): string | undefined {
  const path = content.replace(/\[\s*(?:'([\w-]+)'|"([\w-]+)"|(\d+))\s*\]/g, (_all, a, b, c) => `.${a ?? b ?? c}`);
  if (/^[A-Za-z_][\w-]*(?:\.[\w-]+)*$/.test(path)) {
    const name = path.replace(/^hostvars\./, 'hosts.');
    return `{{${name}}}`;
  }
  return path.includes('|') ? rewriteFilters(path) : undefined;
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= 50 ? line : `${line.slice(0, 49)}…`;
}
