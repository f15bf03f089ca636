import { expect, it } from 'vitest';
import { fillInputs } from '../../../runner/playbook/fill-inputs.ts';
import type { Playbook } from '../../../runner/playbook/model.ts';

const place = { file: 'site.yaml', line: 1, column: 1 };
const inputs = {
  text: { type: 'string', place },
  count: { type: 'integer', place },
  kind: { enum: ['1.30', '1.31'], place },
};

async function filled(...words: string[]) {
  const given = words.map((word) => {
    const [name, text] = word.split('=') as [string, string];
    return { name, text, from: '-e' };
  });
  return fillInputs({ inputs } as unknown as Playbook, given, {}, undefined);
}

it('what would come out as another text is no number: versions, names with zeros', async () => {
  const result = await filled('text=1.30', 'count=04', 'kind=1.30', 'version=1.30', 'zone=007', 'big=1e3', 'long=1_0');
  expect(result.inputs).toEqual({ text: '1.30', count: 4, kind: '1.30' });
  expect(result.extraVars).toEqual({ version: '1.30', zone: '007', big: '1e3', long: '1_0' });
});

it('everything else of a variable without a type is read as YAML', async () => {
  const { extraVars } = await filled(
    'text=',
    'count=1',
    'kind=1.31',
    'a=3',
    'b=-1.5',
    'c=true',
    'd=[1, x]',
    'e=',
    'f={{',
  );
  expect(extraVars).toEqual({ a: 3, b: -1.5, c: true, d: [1, 'x'], e: '', f: '{{' });
});
