import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../runner/errors.ts';
import { runText } from '../../support/run-playbook.ts';

/** Runs a play on the hosts a, b, c and d, whose `n` is 1, 2, 3 and 4. */
const run = (more: string, body: string, settings = {}) =>
  runText({ playbook: `plays:\n  - hosts: web\n${more}${body}`, settings });

const AFTER = '      - { name: after, debug: x }\n';

/** On which hosts a task ended, in order of their names. */
const hostsOf = (tasks: string[], name: string): string =>
  tasks
    .filter((line) => line.split(' ')[1] === name)
    .map((line) => line[0])
    .sort()
    .join('');

describe('max_fail_percentage counts in hosts of the batch', () => {
  const half = '    max_fail_percentage: 50\n';
  const fail = '{ name: no, fail: no, when: n == 1 }';

  it.each([
    ['in a looped block, which each host goes through alone', `      - { loop: [1], block: [${fail}] }\n`],
    ['in a block for few hosts', `      - { when: n == 1, block: [${fail}] }\n`],
    ['in a rescue, where only failed hosts are', `      - { block: [${fail}], rescue: [{ fail: no }] }\n`],
  ])('%s', async (_, step) => {
    const { tasks, exitCode } = await run(half, `    tasks:\n${step}${AFTER}`);
    expect(hostsOf(tasks, 'after')).toBe('bcd');
    expect(exitCode).toBe(EXIT.taskFailed);
  });

  it('with strategy free', async () => {
    // The others have not begun their first task when a has failed.
    const { tasks } = await run(`${half}    strategy: free\n`, `    tasks:\n      - ${fail}\n${AFTER}`, { forks: 1 });
    expect(hostsOf(tasks, 'after')).toBe('bcd');
  });
});

describe('any_errors_fatal', () => {
  const fatal = '    any_errors_fatal: true\n';

  it('ends the play when facts cannot be gathered', async () => {
    const { tasks, exitCode } = await runText({
      inventory: `reeve: 1
all:
  vars: { transport: local }
  hosts: { a: {}, away: { transport: ssh, address: 127.0.0.1, ssh_port: 1, connect_timeout: 2 } }
`,
      playbook: `plays:\n  - hosts: all\n    gather_facts: true\n${fatal}    tasks:\n${AFTER}`,
    });
    expect(tasks).toEqual(['away gather facts unreachable']);
    expect(exitCode).toBe(EXIT.unreachable);
  });

  it('ends the play when a handler fails, before the next section and the next handler', async () => {
    const { tasks } = await run(
      fatal,
      `    pre_tasks:
      - { name: act, command: "true", notify: [one, two] }
    tasks:
${AFTER}    handlers:
      - { name: one, fail: no, when: n == 1 }
      - { name: two, debug: x }
`,
    );
    expect(tasks.filter((line) => /after|two/.test(line))).toEqual([]);
  });

  it('runs no handlers on the other hosts; they are named, so that resume runs them', async () => {
    const play = (more: string) =>
      run(
        fatal + more,
        `    tasks:
      - { name: act, command: "true", notify: late }
      - { name: no, fail: no, when: n == 1 }
    handlers:
      - { name: late, debug: x }
`,
      );
    const { tasks, events } = await play('');
    expect(hostsOf(tasks, 'late')).toBe('');
    const pending = events.flatMap((event) => (event.type === 'handlers-pending' ? event.host : []));
    expect(pending.sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(hostsOf((await play('    force_handlers: true\n')).tasks, 'late')).toBe('abcd');
  });

  it('waits for the tries of a block before it counts a failure', async () => {
    const { tasks, exitCode, recap } = await run(
      fatal,
      `    tasks:
      - retries: 1
        delay: 0
        block:
          - { name: count, set-vars: { round: "{{ default second_round 1 }}" } }
          - { name: next, set-vars: { second_round: 2 } }
          - { name: try, assert: { that: round == 2 } }
${AFTER}`,
    );
    expect(exitCode).toBe(EXIT.done);
    expect(hostsOf(tasks, 'after')).toBe('abcd');
    // What was mended by a further try is no failure of the host.
    expect(recap.a).toMatchObject({ failed: 0 });
  });

  it('lets an always of one host end without letting the others go on', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'reeve-failures-'));
    try {
      const { tasks } = await run(
        `${fatal}    strategy: free\n    vars: { dir: '${dir}' }\n`,
        `    tasks:
      - when: n == 1
        block: [{ name: no, fail: no }]
        always:
          - { name: tell, command: "touch {{ dir }}/cleaning" }
          - { name: look, wait-for: { path: "{{ dir }}/went-on", timeout: 1s } }
      - { name: wait, wait-for: { path: "{{ dir }}/cleaning", timeout: 30s } }
      - { name: after, command: "touch {{ dir }}/went-on" }
`,
      );
      expect(tasks).toContain('a look failed');
      expect(hostsOf(tasks, 'after')).toBe('');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('a mistake that shows only when a task runs fails the host, never the run', () => {
  it.each([
    ['a handler that does not exist', '{ command: "true", notify: "h{{ n }}" }', 'no handler is called h1'],
    ['the loop of a block', '{ loop: n, block: [{ debug: x }] }', 'loop takes a list or a mapping, and got 1'],
    ['the tries of a block', '{ retries: "{{ n }}x", block: [{ debug: x }] }', 'retries takes a whole number'],
    ['until of a block', '{ until: n.x == 1, block: [{ debug: x }] }', '`n` is a number'],
    ['when of a block', '{ when: n.x == 1, block: [{ debug: x }] }', '`n` is a number'],
  ])('%s', async (_, step, message) => {
    const { tasks, exitCode, of, events } = await run(
      '',
      `    tasks:\n      - block:\n          - ${step}\n        rescue: [{ name: mend, debug: x }]\n${AFTER}`,
    );
    expect(exitCode).toBe(EXIT.done);
    expect(
      of('mend')
        .map(({ host }) => host)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd']);
    expect(hostsOf(tasks, 'after')).toBe('abcd');
    const failed = events.find(
      (event) => event.type === 'task-ended' && event.host === 'a' && event.status === 'failed',
    );
    expect(failed).toMatchObject({ message: expect.stringContaining(message), error: { place: { line: 5 } } });
  });

  it('an ignore_errors without an answer ignores nothing, and says why', async () => {
    const { of, exitCode } = await run('', '    tasks:\n      - { name: no, fail: no, ignore_errors: n.x == 1 }\n', {
      limit: 'a',
    });
    expect(exitCode).toBe(EXIT.taskFailed);
    expect(of('no')[0]).toMatchObject({ message: 'no', warnings: [expect.stringContaining('`n` is a number')] });
  });
});

it('a loop of which some items changed something notifies, though others failed and were ignored', async () => {
  const { tasks, recap } = await run(
    '',
    `    tasks:
      - { name: some, shell: "test {{ item }} = 1", loop: [1, 2], ignore_errors: true, notify: late }
      - { name: none, shell: "false", ignore_errors: true, notify: never }
    handlers:
      - { name: late, debug: x }
      - { name: never, debug: x }
`,
    { limit: 'a' },
  );
  expect(tasks).toEqual(['a some ignored', 'a none ignored', 'a late ok']);
  expect(recap.a).toMatchObject({ changed: 1, ignored: 2 });
});

it('a run_once that fails says for whom that counts as well', async () => {
  const { events } = await run('', '    tasks:\n      - { name: once, fail: no, run_once: true, when: n == 2 }\n');
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'notice',
      message: '"once" runs once for all: its failure is that of a, c, d too',
    }),
  );
});

it('handlers that notify each other run once each, and say so', async () => {
  const { tasks, of } = await run(
    '',
    `    tasks:
      - { name: act, command: "true", notify: one }
    handlers:
      - { name: one, command: "true", notify: two }
      - { name: two, command: "true", notify: one }
`,
    { limit: 'a' },
  );
  expect(tasks).toEqual(['a act changed', 'a one changed', 'a two changed']);
  expect(of('two')[0]!.warnings).toEqual([expect.stringContaining('does not notify one again')]);
});

it('a handler that runs once for all runs again for what was notified since', async () => {
  const { tasks } = await run(
    '',
    `    pre_tasks: [{ name: pre, command: "true", notify: reload }]
    tasks: [{ name: act, command: "true", notify: reload }]
    handlers: [{ name: reload, command: "true", run_once: true }]
`,
  );
  expect(tasks.filter((line) => line.includes('reload'))).toEqual(Array(2).fill('a reload changed'));
});

it('a handler runs again when a handler after it changed what it looks at', async () => {
  const { tasks } = await run(
    '',
    `    tasks:
      - { name: act, command: "true", notify: [one, two] }
    handlers:
      - { name: one, command: "true" }
      - { name: two, command: "true", notify: one }
`,
    { limit: 'a' },
  );
  expect(tasks).toEqual(['a act changed', 'a one changed', 'a two changed', 'a one changed']);
});
