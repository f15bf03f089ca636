/** What holds for every module there is, by name: examples, arguments, documentation. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { modules } from '../../../modules/index.ts';
import type { AnyModule, JsonSchema } from '../../../runner/module.ts';
import { fillArgs } from '../../support/module-suite.ts';

/** The arguments of an example, with a plain string put where the shorthand says. */
function exampleArgs(module: AnyModule, yaml: string): Record<string, unknown> {
  const task = parse(yaml) as Record<string, unknown>;
  expect(Object.keys(task)[0]).toBe(module.name);
  const given = task[module.name] ?? {};
  return typeof given === 'object' ? (given as Record<string, unknown>) : { [module.shorthand!]: given };
}

function undescribed(schema: JsonSchema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, one]) => [
    ...(one.description ? [] : [`${path}${name}`]),
    ...undescribed(one, `${path}${name}.`),
  ]);
}

describe.each([...modules.values()].map((module) => [module.name, module] as const))('%s', (_, module) => {
  test('has examples, and they are valid', () => {
    expect(module.examples.length).toBeGreaterThan(0);
    for (const { title, yaml } of module.examples) {
      expect(title).not.toBe('');
      const args = exampleArgs(module, yaml);
      // The type of a template is known only when it is rendered.
      if (!yaml.includes('{{')) fillArgs(module, args);
      else if (module.args.additionalProperties === false) {
        expect(Object.keys(module.args.properties)).toEqual(expect.arrayContaining(Object.keys(args)));
      }
    }
  });

  test.skipIf(module.args.additionalProperties !== false)('refuses an invented argument', () => {
    const args = exampleArgs(module, module.examples[0]!.yaml);
    expect(() => fillArgs(module, { ...args, invented_argument: 1 })).toThrow('additional');
  });

  test('describes every argument and every fact', () => {
    expect([...undescribed(module.args, ''), ...undescribed(module.returns, 'returns ')]).toEqual([]);
  });

  test('has a page', () => {
    expect(existsSync(join(import.meta.dirname, `../../../docs/modules/${module.name}.md`))).toBe(true);
  });

  test('can do what its kind says', () => {
    if (module.kind === 'check') expect(module.apply).toBeUndefined();
    if (module.kind === 'state') expect(module.apply).toBeDefined();
    if (module.undo) expect(module.apply).toBeDefined();
  });
});
