import { defineModule, TaskFailure } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema, spoken } from '../shared/duration.ts';

export const pause = defineModule({
  name: 'pause',
  description: 'Waits for a time, or for a person to press Enter.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      for: durationSchema('How long to wait.', 0),
      seconds: { type: 'number', minimum: 0, description: 'How long to wait, added to `for`.' },
      minutes: { type: 'number', minimum: 0, description: 'How long to wait, added to `for`.' },
      prompt: { type: 'string', description: 'Asked on the terminal; what is typed is the result `input`.' },
    },
  },
  shorthand: 'for',
  examples: [
    { title: 'Let a load balancer notice', yaml: 'pause: 30s' },
    { title: 'The same in Ansible words', yaml: 'pause: { seconds: 30 }' },
  ],
  kind: 'check',
  on: 'control',
  waits: { inCheck: 'never', what: (args) => description(args) },
  returns: {
    type: 'object',
    properties: {
      seconds: { type: 'number', description: 'How long it waited.' },
      input: { type: 'string', description: 'What was typed, with `prompt`.' },
    },
  },
  notes:
    'A wait for a condition is better than a wait for a time: see `wait-for`, `wait-node` and `until`. To let a person ' +
    'decide whether a play goes on, use `confirm` of the play: `--yes` answers it.',
  check(args) {
    if (Object.keys(args).length === 0) return 'pause needs `for`, `seconds`, `minutes` or `prompt`';
    return checkDurations(args, 'for');
  },
  async plan(args, target) {
    const ms = total(args);
    if (args.prompt !== undefined) {
      if (!target.ask) {
        throw new TaskFailure('nobody is at the terminal to answer the prompt', {
          code: 'no-terminal',
          hint: 'use `confirm` of the play, which --yes answers, or run from a terminal',
        });
      }
      const input = await target.ask(args.prompt);
      return { changes: [], facts: { seconds: 0, input } };
    }
    target.progress(`waiting ${spoken(ms)}`);
    await target.sleep(ms);
    return { changes: [], facts: { seconds: ms / 1000 }, message: `waited ${spoken(ms)}` };
  },
});

interface PauseTimes {
  for: unknown;
  seconds?: number;
  minutes?: number;
}

function total(args: PauseTimes): number {
  return durationOf(args.for, 'for') + (args.seconds ?? 0) * 1000 + (args.minutes ?? 0) * 60_000;
}

function description(args: PauseTimes & { prompt?: string }): string {
  return args.prompt === undefined ? spoken(total(args)) : `an answer to «${args.prompt}»`;
}
