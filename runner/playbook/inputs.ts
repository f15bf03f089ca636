import type { Place } from '../errors.ts';
import type { JsonSchema } from '../schema-types.ts';
import { checkValue } from '../validate/schema/check.ts';
import { inside, type ParseContext, placeOf, type Spot } from './context.ts';
import { NAME_PATTERN } from './keywords.ts';
import type { InputSpec } from './model.ts';

const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object'];

/** What an input may say: the part of JSON Schema that a person needs, and how it is asked for. */
export const INPUT_SCHEMA: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    type: { type: 'string', enum: TYPES, description: 'Type of the value; `-e name=value` is read by it.' },
    description: { type: 'string', description: 'What it is for; shown when it is asked for or missing.' },
    default: { description: 'The value when none is given; an input without it is required.' },
    enum: { type: 'array', minItems: 1, description: 'The values it may have.' },
    pattern: { type: 'string', description: 'Regular expression that a text must match.' },
    format: {
      type: 'string',
      description: 'Format of a text: `duration` (`90s`, `1h30m`), `uri`, `email`, `ipv4`, `hostname`, `date`, …',
    },
    minLength: { type: 'integer', minimum: 0, description: 'Shortest text.' },
    minimum: { type: 'number', description: 'Smallest number.' },
    maximum: { type: 'number', description: 'Largest number.' },
    minItems: { type: 'integer', minimum: 0, description: 'Fewest items of a list.' },
    items: { type: 'object', description: 'JSON Schema of the items of a list.' },
    properties: { type: 'object', description: 'JSON Schemas of the keys of a mapping; `secret` works in them too.' },
    additionalProperties: {
      anyOf: [{ type: 'boolean' }, { type: 'object' }],
      description: 'Schema of its other keys.',
    },
    secret: { type: 'boolean', description: 'Masked wherever it turns up.' },
    prompt: { type: 'string', description: 'The question to ask on a terminal when it is missing.' },
  },
};

/** Parses the inputs of a playbook. */
export function parseInputs(
  context: ParseContext,
  value: Record<string, unknown>,
  spot: Spot,
): Record<string, InputSpec & { place: Place }> {
  const inputs: Record<string, InputSpec & { place: Place }> = {};
  for (const [name, written] of Object.entries(value)) {
    const at = inside(spot, name);
    const place = placeOf(at, 'key');
    if (!new RegExp(NAME_PATTERN).test(name)) {
      context.error('bad-name', `\`${name}\` cannot be the name of an input`, place, {
        hint: 'a name has letters, digits and _ and does not begin with a digit',
      });
      continue;
    }
    const hasRequired = written !== null && typeof written === 'object' && 'required' in written;
    if (hasRequired) {
      context.error('unknown-key', 'an input has no `required`', placeOf(inside(at, 'required'), 'key'), {
        hint: 'an input without `default` is required',
      });
      continue;
    }
    const { diagnostics } = checkValue(INPUT_SCHEMA, written ?? {}, at, {
      name: `the input \`${name}\``,
      member: 'key',
    });
    context.diagnostics.push(...diagnostics);
    if (diagnostics.length === 0) inputs[name] = { ...(written as InputSpec), place };
  }
  return inputs;
}
