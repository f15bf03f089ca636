import { parseDuration } from '../language/duration.ts';
import { didYouMean } from '../language/nearest.ts';
import type { Compiled, Expression } from '../language/types.ts';
import { checkValue } from '../validate/schema/check.ts';
import { describeValue } from '../validate/schema/describe.ts';
import { compileCondition, compileConditions, compileValue, compileVars, constant } from './compile.ts';
import { inside, type ParseContext, placeOf, type Spot } from './context.ts';
import { foreignKeyword } from './foreign.ts';
import { KEYWORDS, type Keyword, keywordsOf, type Level } from './keywords.ts';
import type { Definitions } from './model.ts';

const LEVEL_NAMES: Record<Level, string> = {
  playbook: 'a playbook',
  play: 'a play',
  block: 'a block',
  include: 'an include',
  task: 'a task',
  handler: 'a handler',
};

/** True for a mapping as YAML gives it. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * The keywords of one mapping, checked against the table. What is wrong was reported and reads as absent, so that the
 * rest can still be looked at.
 */
export class Entries {
  readonly spot: Spot;
  readonly level: Level;
  readonly #context: ParseContext;
  readonly #values: Record<string, unknown>;

  constructor(context: ParseContext, spot: Spot, level: Level, values: Record<string, unknown>) {
    this.#context = context;
    this.spot = spot;
    this.level = level;
    this.#values = Object.fromEntries(
      Object.entries(values).filter(([name, value]) => this.#accepts(keywordsOf(level).get(name), name, value)),
    );
  }

  #accepts(keyword: Keyword | undefined, name: string, value: unknown): boolean {
    if (!keyword) return false;
    const { diagnostics } = checkValue(keyword.schema, value, this.at(name), {
      name: `\`${name}\``,
      member: 'key',
      expects: keyword.expects,
      templates: keyword.reads === 'template',
    });
    this.#context.diagnostics.push(...diagnostics);
    return diagnostics.length === 0;
  }

  at(name: string): Spot {
    return inside(this.spot, name);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  literal<T>(name: string): T | undefined {
    return this.#values[name] as T | undefined;
  }

  list(name: string): unknown[] {
    return (this.#values[name] as unknown[] | undefined) ?? [];
  }

  /** Text or a list of texts. */
  strings(name: string): string[] {
    const value = this.#values[name];
    return value === undefined ? [] : ([value].flat() as string[]);
  }

  template(name: string): Compiled | undefined {
    return this.has(name) ? compileValue(this.#context, this.#values[name], this.at(name)) : undefined;
  }

  /** Text or a list of texts, each compiled. */
  templates(name: string): Compiled[] {
    const value = this.#values[name];
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [compileValue(this.#context, value, this.at(name))];
    return value.map((item, index) => compileValue(this.#context, item, inside(this.at(name), index)));
  }

  conditions(name: string): Expression[] | undefined {
    return this.has(name) ? compileConditions(this.#context, this.#values[name], this.at(name)) : undefined;
  }

  conditionOrFlag(name: string): Expression[] | boolean | undefined {
    const value = this.#values[name];
    return typeof value === 'boolean' ? value : this.conditions(name);
  }

  loop(): Compiled | Expression | undefined {
    const value = this.#values.loop;
    if (value === undefined) return undefined;
    if (typeof value === 'object') return compileValue(this.#context, value, this.at('loop'));
    return compileCondition(this.#context, value, this.at('loop')) ?? constant([]);
  }

  /** milliseconds */
  duration(name: string): number | undefined {
    const value = this.#values[name] as string | number | undefined;
    return value === undefined ? undefined : this.parsedDuration(value, this.at(name));
  }

  /** milliseconds */
  parsedDuration(value: string | number, spot: Spot): number | undefined {
    try {
      return parseDuration(value);
    } catch (error) {
      this.#context.diagnostics.push({
        code: 'wrong-value',
        severity: 'error',
        message: (error as Error).message,
        place: placeOf(spot),
      });
      return undefined;
    }
  }

  vars(): Definitions {
    return compileVars(this.#context, this.#values.vars, this.at('vars'), `${this.level} vars`);
  }
}

/** Checks that a mapping stands here and that it holds only keywords of its level; undefined when it is no mapping. */
export function readEntries(context: ParseContext, value: unknown, spot: Spot, level: Level): Entries | undefined {
  if (!isMapping(value)) {
    context.error('wrong-type', `${LEVEL_NAMES[level]} must be a mapping, not ${describeValue(value)}`, placeOf(spot));
    return undefined;
  }
  for (const name of Object.keys(value)) {
    if (!keywordsOf(level).has(name)) reportUnknown(context, name, inside(spot, name), level);
  }
  return new Entries(context, spot, level, value);
}

/** Reports a word that is no keyword at this level. */
export function reportUnknown(context: ParseContext, name: string, spot: Spot, level: Level): void {
  const place = placeOf(spot, 'key');
  const foreign = foreignKeyword(name);
  if (foreign) {
    context.error('foreign-keyword', `\`${name}\` is Ansible's; reeve has no such keyword`, place, { hint: foreign });
    return;
  }
  const elsewhere = [...new Set(KEYWORDS.filter((keyword) => keyword.name === name).flatMap((keyword) => keyword.on))];
  if (elsewhere.length > 0) {
    const homes = elsewhere.map((home) => LEVEL_NAMES[home]).join(', ');
    context.error('misplaced-keyword', `\`${name}\` belongs to ${homes}, not to ${LEVEL_NAMES[level]}`, place);
    return;
  }
  const known = [...keywordsOf(level).keys()];
  context.error('unknown-keyword', `${LEVEL_NAMES[level]} has no keyword \`${name}\``, place, {
    hint: didYouMean(name, known) ?? `it has: ${known.join(', ')}`,
  });
}
