import type { JsonSchema } from '../../schema-types.ts';

/**
 * Whether a value surely fits a schema; fills its defaults into it. False means "not sure": then ajv is asked, which knows
 * every keyword and says what is wrong. Nearly all that is checked is right, and ajv takes 20 ms of CPU to load and 1 ms to
 * compile each schema, which was a sixth of a small run.
 * @param templates text that holds a template fits everywhere, as in the check before rendering.
 */
export function surelyFits(schema: JsonSchema, value: unknown, templates: boolean): boolean {
  return fits(schema, value, { templates, defaults: true });
}

interface Mode {
  templates: boolean;
  /** ajv fills none in inside of a union, since another branch might be the one. */
  defaults: boolean;
}

type Mapping = Record<string, unknown>;
type Check = (wanted: never, value: unknown, schema: JsonSchema, mode: Mode) => boolean;

/** Each says yes to a value of a type that its keyword is not about, as JSON Schema does. */
const CHECKS: { readonly [keyword: string]: Check } = {
  type: (wanted: string | readonly string[], value) =>
    typeof wanted === 'string' ? isOfType(wanted, value) : wanted.some((one) => isOfType(one, value)),
  enum: (wanted: readonly unknown[], value) => typeof value !== 'object' && wanted.includes(value),
  const: (wanted: unknown, value) => typeof value !== 'object' && wanted === value,
  pattern: (wanted: string, value) => typeof value !== 'string' || patternOf(wanted)?.test(value) === true,
  // Counted in UTF-16 units it can only be more than in characters: above twice the length both agree.
  minLength: (wanted: number, value) =>
    typeof value !== 'string' || value.length >= 2 * wanted || [...value].length >= wanted,
  minimum: (wanted: number, value) => typeof value !== 'number' || value >= wanted,
  maximum: (wanted: number, value) => typeof value !== 'number' || value <= wanted,
  minItems: (wanted: number, value) => !Array.isArray(value) || value.length >= wanted,
  items: (wanted: JsonSchema, value, _schema, mode) =>
    !Array.isArray(value) || value.every((item) => fits(wanted, item, mode)),
  required: (wanted: readonly string[], value) =>
    !isMapping(value) || wanted.every((name) => Object.hasOwn(value, name) && value[name] !== undefined),
  properties: (wanted: Readonly<Record<string, JsonSchema>>, value, _schema, mode) =>
    !isMapping(value) ||
    Object.entries(wanted).every(([name, inner]) => value[name] === undefined || fits(inner, value[name], mode)),
  additionalProperties: (wanted: boolean | JsonSchema, value, { properties = {} }, mode) =>
    wanted === true ||
    !isMapping(value) ||
    Object.keys(value).every(
      (name) => Object.hasOwn(properties, name) || (wanted !== false && fits(wanted, value[name], mode)),
    ),
  anyOf: (wanted: readonly JsonSchema[], value, _schema, mode) =>
    wanted.some((branch) => fits(branch, value, { ...mode, defaults: false })),
};

/** Keywords that say nothing about what fits: JSON Schema's, and those of `inputs`. */
const NOTES = new Set(['description', 'default', 'writeOnly', 'deprecated', 'secret', 'prompt']);

function fits(schema: JsonSchema, value: unknown, mode: Mode): boolean {
  if (mode.templates && typeof value === 'string' && value.includes('{{')) return true;
  if (mode.defaults && isMapping(value)) fillDefaults(schema, value);
  for (const [keyword, wanted] of Object.entries(schema)) {
    if (wanted === undefined || NOTES.has(keyword)) continue;
    if (!Object.hasOwn(CHECKS, keyword) || !CHECKS[keyword]!(wanted as never, value, schema, mode)) return false;
  }
  return true;
}

function fillDefaults({ properties = {} }: JsonSchema, value: Mapping): void {
  for (const [name, property] of Object.entries(properties)) {
    if (property.default !== undefined && value[name] === undefined) value[name] = structuredClone(property.default);
  }
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'object') return isMapping(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return Number.isFinite(value);
  return typeof value === type;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const patterns = new Map<string, RegExp | undefined>();

/** With the flag that ajv gives it; undefined when it is none, which ajv explains. */
function patternOf(text: string): RegExp | undefined {
  if (!patterns.has(text)) patterns.set(text, compiled(text));
  return patterns.get(text);
}

function compiled(text: string): RegExp | undefined {
  try {
    return new RegExp(text, 'u');
  } catch {
    return undefined;
  }
}
