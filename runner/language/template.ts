import { toPlain } from './access.ts';
import { BoundedCache } from './bounded-cache.ts';
import { placingFaults } from './fault.ts';
import type { Scope } from './lazy.ts';
import type { OffsetReference, Reference } from './reference.ts';
import { type Compilation, compileMustache, compileProgram } from './template-compile.ts';
import { parseTemplate } from './template-parse.ts';
import type { Evaluate } from './template-scope.ts';
import type { TextPlace } from './text-place.ts';

/** A string that may hold `{{ … }}`, compiled. */
export interface Template {
  readonly text: string;
  /** True when rendering needs no names; `render` then gives a string that is always the same. */
  readonly isStatic: boolean;
  readonly references: readonly Reference[];
  /**
   * The rendered value: text, or, when the string is only one `{{ … }}`, the value with its type; plain data either
   * way. An `Unknown` when a value it needs is not known yet.
   * @throws ReeveError `undefined-variable` or `template-value` with a place; what resolving a name throws.
   */
  render(scope: Scope): unknown;
}

interface CompiledText {
  isStatic: boolean;
  references: OffsetReference[];
  evaluate: Evaluate;
}

const MAX_CACHED = 20_000;
const cache = new BoundedCache<CompiledText>(MAX_CACHED);

/**
 * @param at where the text stands, for errors and references.
 * @throws ReeveError `template-syntax`, `unknown-helper` or `foreign-template` with a place inside the text.
 */
export function compileTemplate(text: string, at: TextPlace): Template {
  if (!text.includes('{{') && !text.includes('{%')) return new StaticTemplate(text);
  const compiled = placingFaults(at, () => cache.getOrMake(text, () => compileText(text)));
  return new CompiledTemplate(text, at, compiled);
}

function compileText(text: string): CompiledText {
  const parsed = parseTemplate(text);
  const compilation: Compilation = { parsed, references: [] };
  const [only, ...others] = parsed.program.body;
  const isValue = only?.type === 'MustacheStatement' && others.length === 0;
  const evaluate = isValue
    ? compileMustache(compilation, only as hbs.AST.MustacheStatement, undefined)
    : compileProgram(compilation, parsed.program, undefined);
  const isStatic = parsed.program.body.every((statement) => /^(?:Content|Comment)Statement$/.test(statement.type));
  return { isStatic, references: compilation.references, evaluate };
}

class StaticTemplate implements Template {
  readonly isStatic = true;
  readonly references: readonly Reference[] = [];
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  render(): unknown {
    return this.text;
  }
}

class CompiledTemplate implements Template {
  readonly text: string;
  readonly #at: TextPlace;
  readonly #compiled: CompiledText;

  constructor(text: string, at: TextPlace, compiled: CompiledText) {
    this.text = text;
    this.#at = at;
    this.#compiled = compiled;
  }

  get isStatic(): boolean {
    return this.#compiled.isStatic;
  }

  get references(): readonly Reference[] {
    return this.#compiled.references.map(({ path, optional, offset }) => ({
      path,
      optional,
      place: this.#at.placeAt(offset),
    }));
  }

  render(scope: Scope): unknown {
    return placingFaults(this.#at, () => toPlain(this.#compiled.evaluate({ scope, frame: undefined })));
  }
}
