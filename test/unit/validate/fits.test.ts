import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import { parseDocument } from '../../../runner/load/parse.ts';
import { INPUT_SCHEMA } from '../../../runner/playbook/inputs.ts';
import { KEYWORDS } from '../../../runner/playbook/keywords.ts';
import type { JsonSchema } from '../../../runner/schema-types.ts';
import { compileSchema } from '../../../runner/validate/schema/ajv.ts';
import { collapseErrors } from '../../../runner/validate/schema/collapse.ts';
import { surelyFits } from '../../../runner/validate/schema/fits.ts';

const schemas: JsonSchema[] = [
  ...[...modules.values()].map((module) => module.args),
  ...KEYWORDS.map((keyword) => keyword.schema),
  INPUT_SCHEMA,
];

const LEAVES: unknown[] = [
  ...[null, true, false, 0, 1, -1, 1.5, 2 ** 40, Number.NaN],
  ...['', 'x', '0644', '5m', 'present', '{{ a }}', 'a{{ b }}', '😀', 'a/b', '1.30', 'constructor'],
  ...[[], {}, [[]], undefined],
];
const leaf = fc.constantFrom(...LEAVES);

/** Values that fit a schema more often than not, and miss it in one place or another. */
function near(schema: JsonSchema, depth = 0): fc.Arbitrary<unknown> {
  const choices: fc.Arbitrary<unknown>[] = [leaf];
  if (schema.enum) choices.push(fc.constantFrom(...schema.enum));
  for (const branch of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) choices.push(near(branch, depth + 1));
  if (schema.default !== undefined) choices.push(fc.constant(schema.default));
  if (schema.items && depth < 3) choices.push(fc.array(near(schema.items, depth + 1), { maxLength: 3 }));
  if (schema.properties && depth < 3) choices.push(nearMapping(schema, depth), nearMapping(schema, depth));
  return fc.oneof(...choices);
}

function nearMapping(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const rest = typeof schema.additionalProperties === 'object' ? near(schema.additionalProperties, depth + 1) : leaf;
  const known = Object.entries(schema.properties!).map(([name, inner]) => [name, near(inner, depth + 1)]);
  const others = { stranger: rest, toString: rest };
  return fc
    .record({ ...Object.fromEntries(known), ...others }, { requiredKeys: [...(schema.required ?? [])] as never[] })
    .map((value) => ({ ...value }));
}

describe('surelyFits', () => {
  it('never says yes where ajv says no, and fills in the same defaults', () => {
    let fitting = 0;
    const one = fc
      .constantFrom(...schemas)
      .chain((schema) => fc.tuple(fc.constant(schema), near(schema), fc.boolean()));
    fc.assert(
      fc.property(one, ([schema, value, templates]) => {
        const own = structuredClone(value);
        if (!surelyFits(schema, own, templates)) return;
        fitting++;
        const validate = compileSchema(schema);
        const theirs = structuredClone(value);
        const errors = validate(theirs) ? [] : collapseErrors(validate.errors ?? [], templates);
        expect(errors).toEqual([]);
        expect(own).toEqual(theirs);
      }),
      { numRuns: 3_000 },
    );
    expect(fitting).toBeGreaterThan(300);
  });

  it('says yes to what people write: every example of every module', () => {
    const unsure: string[] = [];
    for (const module of modules.values()) {
      for (const { title, yaml } of module.examples) {
        const task = parseDocument(yaml, 'example.yaml').value as Record<string, unknown>;
        const args = task[module.name];
        const given =
          module.shorthand !== undefined && (typeof args === 'string' || Array.isArray(args))
            ? { [module.shorthand]: args }
            : args;
        if (!surelyFits(module.args, given ?? {}, true)) unsure.push(`${module.name}: ${title}`);
      }
    }
    expect(unsure).toEqual([]);
  });

  it('is not sure about a keyword it does not know, and about a pattern that is none', () => {
    expect(surelyFits({ type: 'string', format: 'uri' }, 'x', false)).toBe(false);
    expect(surelyFits({ type: 'string', pattern: '(' }, 'x', false)).toBe(false);
  });
});
