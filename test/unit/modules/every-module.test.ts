/** What holds for every module there is, by name: examples, arguments, facts, documentation. */
import { existsSync, globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modules } from '../../../modules/index.ts';
import type { AnyModule, JsonSchema } from '../../../runner/module.ts';
import { fillArgs } from '../../support/module-suite.ts';
import { needs } from '../../support/needs.ts';
import { anyShell, shells, type TestShell } from '../../support/shells.ts';
import { isAll } from '../../support/size.ts';
import { type Example, evaluated, examplesOf, renderedArgs, writtenArgs } from './examples/example.ts';
import { needs as exampleNeeds } from './examples/needs.ts';
import { runExample } from './examples/run-example.ts';

const repository = join(import.meta.dirname, '../../..');
const all = [...modules.values()];
const named = all.map((module) => [module.name, module] as const);

interface Property {
  path: string;
  name: string;
  schema: JsonSchema;
}

/** Every property of a schema, at any depth. */
function propertiesOf(schema: JsonSchema, path = ''): Property[] {
  const own = Object.entries(schema.properties ?? {}) as [string, JsonSchema][];
  const below = own.flatMap(([name, one]) => propertiesOf(one, `${path}${name}.`));
  const items = schema.items ? propertiesOf(schema.items as JsonSchema, `${path}[].`) : [];
  return [...own.map(([name, one]) => ({ path: path + name, name, schema: one })), ...below, ...items];
}

describe.each(named)('%s', (_, module) => {
  test('has examples, and they are valid', () => {
    expect(module.examples.length).toBeGreaterThan(0);
    for (const { title, yaml } of module.examples) {
      expect(title).not.toBe('');
      evaluated(module, fillArgs(module, renderedArgs(module, yaml)));
    }
    const titles = module.examples.map(({ title }) => title);
    expect(new Set(titles).size, 'each title is another one').toBe(titles.length);
  });

  if (module.args.additionalProperties === false) {
    test('refuses an invented argument', () => {
      const args = writtenArgs(module, module.examples[0]!.yaml);
      expect(() => fillArgs(module, { ...args, invented_argument: 1 })).toThrow('additional');
    });
  }

  test('describes every argument and every fact', () => {
    const everything = [...propertiesOf(module.args), ...propertiesOf(module.returns, 'returns ')];
    expect(everything.filter(({ schema }) => !schema.description).map(({ path }) => path)).toEqual([]);
  });

  test('marks every argument that holds a secret', () => {
    const secret = /(^|_)(password|passphrase|passwd|token|secret|private_key|api_key|credentials?)$/;
    const marked = (schema: JsonSchema) => (schema as { writeOnly?: boolean }).writeOnly === true;
    const open = propertiesOf(module.args).filter(({ name, schema }) => secret.test(name) && !marked(schema));
    expect(open.map(({ path }) => path)).toEqual([]);
  });

  test('has a page', () => {
    expect(existsSync(join(repository, `docs/modules/${module.name}.md`))).toBe(true);
  });

  test('can do what its kind says', () => {
    expect(module.apply === undefined, 'a check has no apply, all others have one').toBe(module.kind === 'check');
    if (module.undo) expect(module.apply).toBeDefined();
    if (module.kind === 'action') expect(module.guard, 'an action says when it is done').toBeTruthy();
    if (module.isAction) expect(module.kind).toBe('state');
  });
});

/** Modules whose changes stay, and why: what `reeve rollback --check` prints. Everything else has an undo. */
const WITHOUT_UNDO = {
  command: /what a command has done is not known/,
  'etcd-snapshot': /a snapshot stays/,
  http: /what a request has done is not known/,
  reboot: /a restart cannot be taken back/,
  script: /what a command has done is not known/,
  shell: /what a command has done is not known/,
};

test('what changes something has an undo, or a reason for having none', () => {
  const without = all.filter(({ apply, undo }) => apply && !undo).map(({ name, noUndo }) => [name, noUndo]);
  expect(without.map(([name]) => name).sort()).toEqual(Object.keys(WITHOUT_UNDO));
  for (const [name, reason] of without) expect(reason).toMatch(WITHOUT_UNDO[name as keyof typeof WITHOUT_UNDO]);
  for (const { apply, undo, noUndo } of all) if (!apply || undo) expect(noUndo).toBeUndefined();
});

test('the undo of every module is proven by an example, the tree before and after compared', () => {
  const isProven = ({ key }: { key: string }) =>
    exampleNeeds[key]?.noUndo === undefined && exampleNeeds[key]?.idle === undefined;
  const unproven = all.filter((module) => module.undo && !examplesOf(module).some(isProven)).map(({ name }) => name);
  // What stays of it is told: test/unit/kube/upgrade-history.test.ts.
  expect(unproven).toEqual(['upgrade-history']);
});

test('a module has the name of its file', () => {
  const files = globSync('modules/*/*.ts', { cwd: repository }).filter((file) => dirname(file) !== 'modules/shared');
  expect(files.map((file) => basename(file, '.ts')).sort()).toEqual([...modules.keys()].sort());
});

test('the table of needs names examples that exist', () => {
  const keys = new Set(all.flatMap(examplesOf).map(({ key }) => key));
  expect(Object.keys(exampleNeeds).filter((key) => !keys.has(key))).toEqual([]);
});

/** Where the shell of the target has a part in it, each of them is tried: with the first example; the others take turns. */
function shellsFor(module: AnyModule, key: string, nth: number): TestShell[] {
  const isHost = (module.on ?? 'host') === 'host' && exampleNeeds[key]?.on !== 'cluster';
  if (!isHost) return [anyShell];
  return nth === 0 ? shells : [shells.filter(({ lacks }) => !lacks).at(nth % 3) ?? anyShell];
}

/** In `npm test` one example of each module: its first that changes something. */
function triedOf(module: AnyModule): Example[] {
  const examples = examplesOf(module);
  const changes = ({ key }: Example) => exampleNeeds[key]?.idle === undefined && exampleNeeds[key]?.fails === undefined;
  return isAll ? examples : [examples.find(changes) ?? examples[0]!];
}

const cases = all.flatMap((module) =>
  triedOf(module).flatMap((example, nth) =>
    shellsFor(module, example.key, nth).map((shell) => ({ module, example, shell })),
  ),
);

describe('plans, does, and has then done', () => {
  for (const { module, example, shell } of cases) {
    test.concurrent(`${example.key} (${shell.name})`, needs(shell.lacks), () =>
      runExample(module, example, exampleNeeds[example.key] ?? {}, shell.name),
    );
  }
});
