import type { ErrorObject } from 'ajv';
import type { Diagnostic } from '../../errors.ts';
import { didYouMean } from '../../language/nearest.ts';
import type { Located, Path } from '../../load/document.ts';
import type { JsonSchema } from '../../schema-types.ts';
import { describeSchema, describeValue } from './describe.ts';

/** What is being checked, so that messages can name it. */
export interface SchemaSubject {
  /** `the module service`, `the keyword serial`: for errors at the root. */
  name: string;
  /** What the keys of the root mapping are called: `argument`, `key`. */
  member: string;
  /** What belongs here, when that is easier to read than what the schema says. */
  expects?: string | undefined;
  /** Before rendering: text that holds a template stands for anything. */
  templates?: boolean;
}

type At = Pick<Located, 'document' | 'path'>;

/** One sentence, with place and hint, for one of ajv's errors. */
export function explainSchemaError(error: ErrorObject, root: JsonSchema, at: At, subject: SchemaSubject): Diagnostic {
  const inner = pointerPath(error.instancePath);
  const path = [...at.path, ...inner];
  if (error.keyword === 'additionalProperties') return unknownMember(error, inner, at, subject);
  if (error.keyword === 'required') return missingMember(error, inner, at, subject);
  const schema = error.parentSchema as JsonSchema | undefined;
  const expected = inner.length === 0 && subject.expects ? subject.expects : describeSchema(schema ?? root);
  const name = nameOf(inner, subject);
  const isType = error.keyword === 'type' || error.keyword === 'anyOf' || error.keyword === 'oneOf';
  const diagnostic: Diagnostic = {
    code: isType ? 'wrong-type' : 'wrong-value',
    severity: 'error',
    message: `${name} must be ${expected}${expected === subject.expects ? '' : detail(error)}, not ${describeRefused(error)}`,
    place: at.document.place(path),
  };
  const hint = hintFor(error, schema, at, path);
  if (hint) diagnostic.hint = hint;
  return diagnostic;
}

/** That a list is none would say nothing where it is an empty one. */
function describeRefused({ keyword, data }: ErrorObject): string {
  if (keyword !== 'minItems' && keyword !== 'maxItems') return describeValue(data);
  const { length } = data as unknown[];
  return length === 0 ? 'an empty list' : `a list of ${length}`;
}

function nameOf(inner: Path, subject: SchemaSubject): string {
  if (inner.length === 0) return subject.name;
  return `\`${inner.map((step, index) => (/^\d+$/.test(String(step)) ? `[${step}]` : index ? `.${step}` : step)).join('')}\``;
}

function detail(error: ErrorObject): string {
  const { keyword, params } = error;
  if (keyword === 'pattern') return ` that matches \`${params.pattern}\``;
  if (keyword === 'minLength') return ` of at least ${params.limit} character${params.limit === 1 ? '' : 's'}`;
  if (keyword === 'minItems') return ` with at least ${params.limit} item${params.limit === 1 ? '' : 's'}`;
  return '';
}

function hintFor(error: ErrorObject, schema: JsonSchema | undefined, at: At, path: Path): string | undefined {
  if (error.keyword === 'enum' && typeof error.data === 'string') {
    return didYouMean(error.data, (error.params.allowedValues as unknown[]).map(String));
  }
  const wantsText = accepts(schema, 'string');
  if (typeof error.data === 'number' && wantsText) return quoteHint(at, path, String(error.data));
  if (typeof error.data === 'boolean' && wantsText) return `as text it must be quoted: "${error.data}"`;
  if (typeof error.data === 'string') return textHint(error.data, schema);
  return undefined;
}

/** A number where text belongs has often lost something already: `1.30` is 1.3, and `0644` is 644. */
function quoteHint(at: At, path: Path, value: string): string {
  const { line, column, endColumn } = at.document.place(path);
  const source = endColumn
    ? (at.document.text.split('\n')[line - 1]?.slice(column - 1, endColumn - 1) ?? value)
    : value;
  if (!/^[-+.\w]+$/.test(source)) return `as text it must be quoted: "${value}"`;
  const lost = source === value ? '' : `YAML reads ${source} as the number ${value}; `;
  return `${lost}as text it must be quoted: "${source}"`;
}

const SAID_OTHERWISE = new Map([
  ['yes', true],
  ['on', true],
  ['no', false],
  ['off', false],
]);

function textHint(text: string, schema: JsonSchema | undefined): string | undefined {
  const meant = SAID_OTHERWISE.get(text.toLowerCase());
  if (meant !== undefined && accepts(schema, 'boolean')) return `\`${text}\` is text in YAML 1.2; write ${meant}`;
  const isNumber = accepts(schema, 'integer') || accepts(schema, 'number');
  if (isNumber && /^-?\d+(\.\d+)?$/.test(text)) return `leave the quotes out: ${text}`;
  return undefined;
}

function accepts(schema: JsonSchema | undefined, type: string): boolean {
  if (!schema) return false;
  if (schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type))) return true;
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].some((branch) => accepts(branch, type));
}

function unknownMember(error: ErrorObject, inner: Path, at: At, subject: SchemaSubject): Diagnostic {
  const name = String(error.params.additionalProperty);
  const known = Object.keys((error.parentSchema as JsonSchema | undefined)?.properties ?? {});
  const member = inner.length === 0 ? subject.member : 'key';
  return {
    code: `unknown-${member}`,
    severity: 'error',
    message: `${nameOf(inner, subject)} has no ${member} \`${name}\``,
    place: at.document.place([...at.path, ...inner, name], 'key'),
    hint: didYouMean(name, known) ?? `it has: ${known.join(', ')}`,
  };
}

function missingMember(error: ErrorObject, inner: Path, at: At, subject: SchemaSubject): Diagnostic {
  const name = String(error.params.missingProperty);
  const member = inner.length === 0 ? subject.member : 'key';
  const wanted = (error.parentSchema as JsonSchema | undefined)?.properties?.[name];
  const diagnostic: Diagnostic = {
    code: `missing-${member}`,
    severity: 'error',
    message: `${nameOf(inner, subject)} needs the ${member} \`${name}\``,
    place: at.document.place([...at.path, ...inner], 'key'),
  };
  if (wanted)
    diagnostic.hint = `\`${name}\` is ${describeSchema(wanted)}${wanted.description ? `: ${wanted.description}` : ''}`;
  return diagnostic;
}

/** Keys from the root of the value to where a JSON pointer leads. */
function pointerPath(pointer: string): Path {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
