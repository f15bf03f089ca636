import { parse as parseYaml } from 'yaml';
import type { Diagnostic } from '../errors.ts';
import { didYouMean } from '../language/nearest.ts';
import type { Document } from '../load/document.ts';
import type { InputSpec, Playbook } from '../playbook/model.ts';
import { checkValue } from './schema/check.ts';

export interface ReadInputs {
  /** Values of the playbook's inputs: given ones and defaults. */
  inputs: Record<string, unknown>;
  /** Given values that are no inputs: they override variables. */
  extraVars: Record<string, unknown>;
  /** Inputs that have neither value nor default; one with a `prompt` may be asked for. */
  missing: string[];
  diagnostics: Diagnostic[];
}

/**
 * Reads what was given as `-e name=value`. The text is read as YAML by the declared type: for an input of type string
 * it stays as it is, so `-e version=1.30` is the text 1.30. Values that are no text (from a variables file) are checked
 * as they are. Missing inputs are listed, not reported.
 */
export function readInputs(playbook: Playbook, given: Readonly<Record<string, unknown>>): ReadInputs {
  const result: ReadInputs = { inputs: {}, extraVars: {}, missing: [], diagnostics: [] };
  for (const [name, value] of Object.entries(given)) {
    const spec = playbook.inputs[name];
    const read = readValue(name, value, spec?.type, result.diagnostics);
    if (!spec) result.extraVars[name] = read;
    else result.inputs[name] = checkInput(name, read, spec, result.diagnostics);
  }
  for (const [name, spec] of Object.entries(playbook.inputs)) {
    if (Object.hasOwn(given, name)) continue;
    if (spec.default === undefined) result.missing.push(name);
    else result.inputs[name] = spec.default;
  }
  return result;
}

/** The diagnostic for an input that nobody gave. */
export function missingInput(name: string, spec: InputSpec & { place: Diagnostic['place'] }): Diagnostic {
  return {
    code: 'missing-input',
    severity: 'error',
    message: `the input \`${name}\` is missing${spec.description ? `: ${spec.description}` : ''}`,
    ...(spec.place ? { place: spec.place } : {}),
    hint: `give it: -e ${name}=VALUE`,
  };
}

/** The diagnostic for a `-e` name that is neither input nor variable of anything. */
export function unusedVariable(name: string, playbook: Playbook): Diagnostic {
  const inputs = Object.keys(playbook.inputs);
  return {
    code: 'unused-variable',
    severity: 'error',
    message: `\`-e ${name}=…\`: the playbook has no such input, and nothing uses a variable of this name`,
    hint: didYouMean(name, inputs) ?? (inputs.length > 0 ? `its inputs: ${inputs.join(', ')}` : 'it has no inputs'),
  };
}

function readValue(name: string, value: unknown, type: InputSpec['type'], diagnostics: Diagnostic[]): unknown {
  if (typeof value !== 'string' || type === 'string') return value;
  try {
    return parseYaml(value, { version: '1.2', schema: 'core', logLevel: 'error', maxAliasCount: 0 });
  } catch (error) {
    // A template or a sentence need not be YAML; for a variable without a type it is simply text.
    if (type === undefined) return value;
    const message = (error as Error).message.split('\n')[0];
    diagnostics.push({ code: 'wrong-value', severity: 'error', message: `\`-e ${name}\`: ${message}` });
    return undefined;
  }
}

function checkInput(name: string, value: unknown, spec: InputSpec & { place?: unknown }, diagnostics: Diagnostic[]) {
  const { place: _place, default: _default, ...schema } = spec;
  const subject = { name: `the input \`${name}\``, member: 'key' };
  const checked = checkValue(schema, value, { document: COMMAND_LINE, path: [] }, subject);
  // What was given on the command line has no place in a file.
  diagnostics.push(...checked.diagnostics.map(({ place: _none, ...diagnostic }) => diagnostic));
  return checked.value;
}

const NOWHERE = { file: 'the command line', line: 1, column: 1 };
const COMMAND_LINE: Document = {
  file: NOWHERE.file,
  text: '',
  value: undefined,
  place: () => NOWHERE,
  textPlace: () => ({ placeAt: () => NOWHERE }),
};
