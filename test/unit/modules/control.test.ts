import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assert } from '../../../modules/control/assert.ts';
import { debug } from '../../../modules/control/debug.ts';
import { fail } from '../../../modules/control/fail.ts';
import { pause } from '../../../modules/control/pause.ts';
import { setVars } from '../../../modules/control/set-vars.ts';
import { milliseconds, spoken } from '../../../modules/shared/duration.ts';
import { TaskFailure } from '../../../runner/module.ts';
import { controlTarget, exampleArgs, fillArgs } from './support.ts';

describe.each([assert, debug, fail, pause, setVars])('$name', (module) => {
  it.each(module.examples)('accepts its example «$title»', ({ yaml }) => {
    expect(() => fillArgs(module, exampleArgs(module, yaml))).not.toThrow();
  });
});

describe('debug', () => {
  const run = (args: Record<string, unknown>) => debug.plan(fillArgs(debug, args), controlTarget());

  it('prints text as it is and other values as JSON', async () => {
    expect(await run({ msg: 'up' })).toEqual({ changes: [], message: 'up', facts: {} });
    expect(await run({ msg: 'node', value: { ready: true } })).toEqual({
      changes: [],
      message: 'node\n{\n  "ready": true\n}',
      facts: { value: { ready: true } },
    });
    expect((await run({ value: 0 })).message).toBe('0');
  });

  it('wants something to print', () => {
    expect(debug.check!({})).toMatch(/needs/);
  });
});

describe('fail', () => {
  it('throws what the playbook says', async () => {
    const error = await fail.plan({ msg: 'no', hint: 'do this' }, controlTarget()).catch((e) => e);
    expect(error).toBeInstanceOf(TaskFailure);
    expect(error).toMatchObject({ message: 'no', hint: 'do this', exitCode: 2 });
  });
});

describe('assert', () => {
  const run = (that: unknown[], more: Record<string, unknown> = {}) =>
    assert.plan({ that, quiet: false, ...more } as Parameters<typeof assert.plan>[0], controlTarget());
  const yes = { expression: 'a == 1', value: true };
  const no = { expression: 'b > c', value: false, names: { b: 1, c: [2] } };
  const perhaps = { expression: 'd', value: 'unknown' };

  it('passes when all are true', async () => {
    expect(await run([yes], { success_msg: 'fine' })).toEqual({
      changes: [],
      facts: { failures: [] },
      message: 'fine',
    });
    expect((await run([yes], { quiet: true })).message).toBeUndefined();
  });

  it('names each expression that is false, with the values in it', async () => {
    const error = await run([yes, no, perhaps], { fail_msg: 'too small' }).catch((e) => e);
    expect(error).toBeInstanceOf(TaskFailure);
    expect(error.message).toBe('too small\nnot true: `b > c` (b = 1, c = [2])');
    expect(error.facts).toEqual({ failures: ['b > c'] });
  });

  it('is unknown when only unknown ones stand in the way', async () => {
    expect(await run([yes, perhaps])).toMatchObject({ changes: [], unknown: 'not known yet: `d`' });
  });
});

describe('set-vars', () => {
  it('gives its arguments as facts', async () => {
    const args = { a: 1, b: { c: [true] } };
    expect(await setVars.plan(args, controlTarget())).toEqual({ changes: [], facts: args });
    expect(setVars.setsVariables).toBe(true);
  });

  it.each(['a-b', '1a', 'a b', ''])('refuses the name %j', (name) => {
    expect(setVars.check!({ [name]: 1 })).toMatch(/name/);
  });
});

describe('pause', () => {
  it('waits the sum of what is given', async () => {
    const slept: number[] = [];
    const target = controlTarget({ sleep: async (ms) => void slept.push(ms) });
    await pause.plan(fillArgs(pause, { for: '1m', seconds: 2, minutes: 1 }), target);
    expect(slept).toEqual([122_000]);
  });

  it('asks when somebody is there, and says so when nobody is', async () => {
    const ask = controlTarget({ ask: async (question) => `${question} yes` });
    expect((await pause.plan(fillArgs(pause, { prompt: 'go on?' }), ask)).facts).toMatchObject({ input: 'go on? yes' });
    await expect(pause.plan(fillArgs(pause, { prompt: 'go on?' }), controlTarget())).rejects.toMatchObject({
      code: 'no-terminal',
    });
  });

  it('describes itself without waiting', () => {
    expect(pause.waits!.what(fillArgs(pause, { minutes: 2 }))).toBe('2 min');
  });
});

describe('durations', () => {
  it.each([
    [90, 90_000],
    ['90', 90_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['', undefined],
    ['5 minutes', undefined],
    ['m', undefined],
    [-1, undefined],
    [true, undefined],
  ])('%j is %j ms', (text, ms) => expect(milliseconds(text)).toBe(ms));

  it('reads back whole seconds however they are split', () => {
    fc.assert(
      fc.property(fc.nat(48), fc.nat(59), fc.nat(59), (h, m, s) => {
        expect(milliseconds(`${h}h${m}m${s}s`)).toBe((h * 3600 + m * 60 + s) * 1000);
      }),
    );
  });

  it.each([
    [1234, '1.2 s'],
    [42_000, '42 s'],
    [119_700, '2 min'],
    [200_000, '3 min 20 s'],
  ])('%d ms is spoken %s', (ms, text) => expect(spoken(ms)).toBe(text));
});
