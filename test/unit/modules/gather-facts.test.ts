import { expect, it } from 'vitest';
import { gatherFacts } from '../../../modules/system/gather-facts.ts';
import { parseFacts } from '../../../runner/execute/facts.ts';
import { controlTarget, exampleArgs, fillArgs } from './support.ts';

it('asks again and gives the facts', async () => {
  const facts = parseFacts('hostname=k3s-1\nos_PRETTY_NAME=Debian 12\narchitecture=x86_64\ncpus=2\nMemTotal=2097152\n');
  const asked: unknown[] = [];
  const target = controlTarget({
    facts: async (options) => {
      asked.push(options);
      return facts;
    },
  });
  const plan = await gatherFacts.plan(fillArgs(gatherFacts, {}), target);
  expect(asked).toEqual([{ refresh: true }]);
  expect(plan).toEqual({ changes: [], facts: { facts }, message: 'Debian 12 on x86_64, 2 CPUs, 2048 MB' });
});

it.each(gatherFacts.examples)('accepts its example «$title»', ({ yaml }) => {
  expect(() => fillArgs(gatherFacts, exampleArgs(gatherFacts, yaml))).not.toThrow();
});
