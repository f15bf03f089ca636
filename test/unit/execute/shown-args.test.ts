import { describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import { shownArgs } from '../../../runner/execute/shown-args.ts';
import { defineModule } from '../../../runner/module.ts';
import { runText } from '../../support/run-playbook.ts';

const login = defineModule({
  name: 'login',
  description: 'Test.',
  kind: 'action',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      user: { type: 'string', description: 'Who.' },
      password: { type: 'string', writeOnly: true, description: 'Secret.' },
      tries: { type: 'integer', default: 3, description: 'How often.' },
    },
  },
  examples: [],
  returns: { type: 'object', properties: {} },
  plan: async () => ({ changes: [] }),
});

describe('the arguments that a journal shows', () => {
  it('are without defaults and without what is marked as secret', () => {
    expect(shownArgs(login, { user: 'me', password: 'hunter2-secret', tries: 3 })).toEqual({ user: 'me' });
    expect(shownArgs(login, { user: 'me', tries: 4 })).toEqual({ user: 'me', tries: 4 });
  });

  it('have expressions as they were written, and long texts cut', () => {
    const that = [{ expression: 'a == 1', value: false, names: { a: 2 } }];
    expect(shownArgs(modules.get('assert')!, { that })).toEqual({ that: ['a == 1'] });
    expect(shownArgs(login, { user: 'x'.repeat(10_000) })).toEqual({ user: `${'x'.repeat(500)}…` });
  });
});

it('each item of a loop tells what it was told, with no_log none does', async () => {
  const task = 'shell: { cmd: "echo {{ item }}", reads: true }, loop: [x, y]';
  const { events } = await runText({
    playbook: `plays: [{ hosts: a, tasks: [{ name: open, ${task} }, { name: closed, no_log: true, ${task} }] }]`,
  });
  const items = events.filter((event) => event.type === 'item-ended');
  expect(items.map(({ index, args }) => [index, args])).toEqual([
    [0, { cmd: 'echo x', reads: true }],
    [1, { cmd: 'echo y', reads: true }],
    [0, undefined],
    [1, undefined],
  ]);
});
