import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { InvalidError } from '../../../runner/errors.ts';
import { parseDocument } from '../../../runner/load/parse.ts';
import { KEYWORDS } from '../../../runner/playbook/keywords.ts';
import { parsePlaybook } from '../../../runner/playbook/parse.ts';
import { formatDiagnostics } from '../../../runner/validate/format.ts';
import { validatePlaybook } from '../../../runner/validate/validate-playbook.ts';
import { tries } from '../../support/size.ts';
import { testRegistry } from '../playbook/registry.ts';
import { testInventory } from './support.ts';

const words = [
  ...KEYWORDS.map(({ name }) => name),
  ...testRegistry.keys(),
  ...[
    'name',
    'dest',
    'mode',
    'cmd',
    'that',
    'type',
    'default',
    'ansible.builtin.copy',
    'with_items',
    'x',
    '',
    'constructor',
    'toString',
  ],
];
const leaf = fc.constantFrom<unknown>(
  ...[
    null,
    true,
    0,
    1.5,
    -1,
    '',
    'all',
    'servers',
    'a == 1',
    '{{ a }}',
    '{{ a',
    '{{ item }}',
    '{{ inputs.x }}',
    'a &&',
  ],
  ...['5m', 'h', '~(', 'a[', '[0]', ':', '!', '{{#each a}}', 'string', [], {}],
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: 'medium', withCrossShrink: true }, leaf, tie('list'), tie('mapping')),
  list: fc.array(tie('any'), { maxLength: 3 }),
  mapping: fc.dictionary(fc.constantFrom(...words), tie('any'), { maxKeys: 5 }),
})).any;
const task = fc.tuple(
  fc.constantFrom(...testRegistry.keys(), 'block', 'include'),
  value,
  fc.dictionary(fc.constantFrom(...words), value, { maxKeys: 4 }),
);
const tasks = fc.array(
  task.map(([name, args, rest]) => ({ ...rest, [name]: args })),
  { maxLength: 3 },
);
const play = fc
  .record({
    hosts: value,
    tasks,
    handlers: tasks,
    gate: tasks,
    vars: value,
    rest: fc.dictionary(fc.constantFrom(...words), value, { maxKeys: 3 }),
  })
  .map(({ rest, ...known }) => ({ ...rest, ...known }));
const playbook = fc.oneof(value, fc.record({ plays: fc.array(play, { maxLength: 2 }), vars: value, inputs: value }));

it('any playbook is read or explained, with places inside the text', () => {
  const inventory = testInventory();
  fc.assert(
    fc.property(playbook, fc.boolean(), (content, withInventory) => {
      const text = stringify(content);
      const lines = text.split('\n');
      try {
        const parsed = parsePlaybook(parseDocument(text, 'f.yaml'), testRegistry);
        const found = parsed.playbook
          ? validatePlaybook(parsed.playbook, withInventory ? inventory : undefined, testRegistry)
          : [];
        const all = [...parsed.diagnostics, ...found];
        for (const { place, message } of all) {
          expect(place, message).toBeDefined();
          expect(place!.line).toBeLessThanOrEqual(lines.length);
          expect(place!.column).toBeLessThanOrEqual(lines[place!.line - 1]!.length + 1);
          expect(message).not.toMatch(/undefined|\[object/);
        }
        expect(formatDiagnostics(all, () => text)).toMatch(all.length > 0 ? /f\.yaml:\d+:\d+: / : /^$/);
      } catch (error) {
        if (!(error instanceof InvalidError)) throw error;
      }
    }),
    { numRuns: tries(1500) },
  );
});
