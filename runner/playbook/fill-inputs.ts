import { type Diagnostic, EXIT, InvalidError, type Place, ReeveError } from '../errors.ts';
import { toPlain } from '../language/access.ts';
import { nearestName } from '../language/nearest.ts';
import { parseDocument } from '../load/parse.ts';
import { plainYaml } from '../load/plain-yaml.ts';
import { checkValue } from '../validate/schema/check.ts';
import type { InputSpec, Playbook } from './model.ts';
import { whyReserved } from './reserved.ts';
import { secretsIn } from './secret-inputs.ts';

/** One `-e name=value`: text to be read by the declared type, or a value that a file gave. */
export interface Given {
  name: string;
  text?: string;
  value?: unknown;
  /** What gave it: `-e`, a file. */
  from: string;
}

export interface Filled {
  inputs: Record<string, unknown>;
  /** What is no input: overrides the variable of that name. */
  extraVars: Record<string, unknown>;
  /** Values of inputs that are declared secret. */
  secrets: unknown[];
  /** Names of those whose value is not their default: a resume needs them again. */
  givenSecrets: string[];
}

/**
 * Gives every input a value: `-e` (the last one wins), then `REEVE_INPUT_NAME`, then its default, then the answer to
 * its prompt. All mistakes are reported at once.
 *
 * @param ask asks a person; undefined when nobody is there.
 * @throws InvalidError, exit code 4.
 */
export async function fillInputs(
  playbook: Playbook,
  given: readonly Given[],
  environment: Record<string, string | undefined>,
  ask: ((question: string, secret: boolean) => Promise<string>) | undefined,
): Promise<Filled> {
  const filled: Filled = { inputs: {}, extraVars: {}, secrets: [], givenSecrets: [] };
  const diagnostics: Diagnostic[] = [];
  const last = new Map(given.map((item) => [item.name, item]));
  for (const [name, spec] of Object.entries(playbook.inputs)) {
    const source = last.get(name) ?? fromEnvironment(name, environment) ?? (await asked(name, spec, ask));
    last.delete(name);
    if (!source && spec.default === undefined) {
      diagnostics.push(missing(name, spec));
      continue;
    }
    const result = source ? read(name, spec, source) : { value: toPlain(spec.default), diagnostics: [] };
    diagnostics.push(...result.diagnostics);
    filled.inputs[name] = result.value;
    const secrets = secretsIn(spec, result.value);
    filled.secrets.push(...secrets);
    if (source && secrets.length > 0) filled.givenSecrets.push(name);
  }
  for (const name of last.keys()) {
    const why = whyReserved(name);
    if (why) diagnostics.push({ code: 'reserved-name', severity: 'error', message: `-e ${name}: ${why}` });
  }
  for (const [name, item] of last)
    filled.extraVars[name] = item.text === undefined ? toPlain(item.value) : lossless(item.text);
  if (diagnostics.length > 0) throw new InvalidError(diagnostics);
  return filled;
}

/** `-e` for something that the playbook never uses is a mistake: most likely a typo of an input. */
export function unusedExtra(name: string, inputs: readonly string[]): ReeveError {
  const near = nearestName(name, inputs);
  return new ReeveError(
    'unused-extra-var',
    `-e ${name}: no input has this name and nothing uses a variable of this name`,
    {
      hint: near
        ? `did you mean ${near}?`
        : inputs.length > 0
          ? `the inputs are ${inputs.join(', ')}`
          : 'the playbook has no inputs',
      exitCode: EXIT.usage,
    },
  );
}

/** The variable of the environment that gives an input. */
export function inputVariable(name: string): string {
  return `REEVE_INPUT_${name.toUpperCase()}`;
}

function fromEnvironment(name: string, environment: Record<string, string | undefined>): Given | undefined {
  const variable = inputVariable(name);
  const text = environment[variable];
  return text === undefined ? undefined : { name, text, from: variable };
}

async function asked(
  name: string,
  spec: InputSpec,
  ask: ((question: string, secret: boolean) => Promise<string>) | undefined,
): Promise<Given | undefined> {
  if (spec.default !== undefined || spec.prompt === undefined || !ask) return undefined;
  return { name, text: await ask(spec.prompt, spec.secret === true), from: 'the answer' };
}

function read(
  name: string,
  spec: InputSpec & { place: Place },
  source: Given,
): { value: unknown; diagnostics: Diagnostic[] } {
  const { place: _place, secret, prompt: _prompt, ...schema } = spec;
  const value = source.text === undefined ? toPlain(source.value) : byType(spec, source.text);
  const document = parseDocument('{}', source.from, { allowEmpty: true });
  const checked = checkValue(schema, value, { document, path: [] }, { name: `the input \`${name}\``, member: 'key' });
  const diagnostics = checked.diagnostics.map((d): Diagnostic => {
    const { place } = spec;
    // A secret must not be shown by the message that refuses it, nor by its hint.
    if (secret) return { ...bare(d), message: `the input \`${name}\` has a value that its schema refuses`, place };
    const hint = d.hint ?? spec.description;
    return { ...d, message: `${source.from} ${name}: ${d.message}`, place, ...(hint !== undefined && { hint }) };
  });
  return { value: checked.value, diagnostics };
}

function bare({ code, severity }: Diagnostic): Pick<Diagnostic, 'code' | 'severity'> {
  return { code, severity };
}

/** Text stays text; everything else is read as YAML, so that `true`, `3` and `[a, b]` are what they look like. */
function byType({ type, enum: values }: InputSpec, text: string): unknown {
  if (type === 'string' || values?.includes(text)) return text;
  return type === 'number' || type === 'integer' ? plainYaml(text) : lossless(text);
}

/** A version such as 1.30, or a name such as 007, is no number: it would come out as another text. */
function lossless(text: string): unknown {
  const value = plainYaml(text);
  return typeof value === 'number' && String(value) !== text.trim() ? text : value;
}

function missing(name: string, spec: InputSpec & { place: Place }): Diagnostic {
  const what = spec.description ? ` (${spec.description})` : '';
  return {
    code: 'missing-input',
    severity: 'error',
    message: `the input \`${name}\` has no value${what}`,
    place: spec.place,
    hint: `give it with -e ${name}=VALUE or ${inputVariable(name)}`,
  };
}
