import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../runner/errors.ts';
import { runText } from '../../support/run-playbook.ts';

const play = (body: string, more = '') => `plays:\n  - hosts: web\n${more}${body}`;

// A host nobody answers for: port 1 of the loopback address refuses.
const ONE_AWAY = `
reeve: 1
all:
  vars: { transport: local }
  children:
    web:
      hosts:
        a: { n: 1 }
        away: { n: 2, transport: ssh, address: 127.0.0.1, ssh_port: 1, connect_timeout: 2 }
        c: { n: 3 }
        d: { n: 4 }
`;

describe('hosts and failures', () => {
  it('runs each task on every host before the next one begins', async () => {
    const { tasks, exitCode } = await runText({
      playbook: play(`    tasks:
      - { name: one, debug: { msg: x } }
      - { name: two, debug: { msg: x } }
`),
    });
    expect(exitCode).toBe(EXIT.done);
    expect(tasks.slice(0, 4).every((line) => line.endsWith('one ok'))).toBe(true);
    expect(tasks.slice(4).every((line) => line.endsWith('two ok'))).toBe(true);
  });

  it('drops a failed host and lets the others finish the play; the run then ends', async () => {
    const { tasks, exitCode, recap } = await runText({
      playbook: `plays:
  - hosts: web
    tasks:
      - { name: check, assert: { that: n != 2 } }
      - { name: after, debug: { msg: x } }
  - hosts: web
    tasks:
      - { name: next play, debug: { msg: x } }
`,
    });
    expect(exitCode).toBe(EXIT.taskFailed);
    expect(tasks.filter((line) => line.includes('after')).map((line) => line[0])).toEqual(['a', 'c', 'd']);
    expect(tasks.some((line) => line.includes('next play'))).toBe(false);
    expect(recap.b).toMatchObject({ failed: 1, ok: 0 });
  });

  it('goes on with the plays after it when the play says on_failure: continue, without the failed host', async () => {
    const { tasks, exitCode } = await runText({
      playbook: `plays:
  - hosts: web
    on_failure: continue
    tasks:
      - { name: check, assert: { that: n != 2 } }
  - hosts: web
    tasks:
      - { name: next play, debug: { msg: x } }
`,
    });
    expect(exitCode).toBe(EXIT.taskFailed);
    expect(tasks.filter((line) => line.includes('next play')).map((line) => line[0])).toEqual(['a', 'c', 'd']);
  });

  it('counts an unreachable host as failed: exit code 3, and with serial no batch after it', async () => {
    const { tasks, exitCode, events } = await runText({
      inventory: ONE_AWAY,
      playbook: play('    tasks:\n      - { name: hello, command: "true" }\n', '    serial: 2\n'),
    });
    expect(exitCode).toBe(EXIT.unreachable);
    expect(tasks).toEqual(expect.arrayContaining(['a hello changed', 'away hello unreachable']));
    expect(tasks).toHaveLength(2);
    expect(events.find((event) => event.type === 'play-ended')).toMatchObject({ failed: ['away'], skippedBatches: 1 });
  });

  it('max_fail_percentage lets batches go on after failures, up to its limit', async () => {
    const run = (limit: number) =>
      runText({
        playbook: play(
          '    tasks:\n      - { name: check, assert: { that: n != 2 } }\n',
          `    serial: 2\n    max_fail_percentage: ${limit}\n`,
        ),
      });
    expect((await run(50)).tasks).toHaveLength(4);
    expect((await run(49)).tasks).toHaveLength(2);
  });

  it('any_errors_fatal stops every host after the task, but runs always', async () => {
    const { tasks } = await runText({
      playbook: play(
        `    tasks:
      - block:
          - { name: check, assert: { that: n != 2 } }
          - { name: after, debug: { msg: x } }
        always:
          - { name: clean up, debug: { msg: x } }
      - { name: later, debug: { msg: x } }
`,
        '    any_errors_fatal: true\n',
      ),
    });
    expect(tasks.some((line) => /after|later/.test(line))).toBe(false);
    expect(tasks.filter((line) => line.includes('clean up'))).toHaveLength(4);
  });

  it('a wholly failed batch stops the play, unless max_fail_percentage is 100', async () => {
    const run = (limit: number) =>
      runText({
        playbook: play(
          '    tasks:\n      - { name: check, fail: { msg: no } }\n',
          `    serial: 2\n    max_fail_percentage: ${limit}\n`,
        ),
      });
    expect((await run(99)).tasks).toHaveLength(2);
    expect((await run(100)).tasks).toHaveLength(4);
  });

  it('finds no host: exit code 4, never 0', async () => {
    const { exitCode, message } = await runText({
      playbook: play('    tasks:\n      - debug: { msg: x }\n'),
      settings: { limit: 'a:!a' },
    });
    expect(exitCode).toBe(EXIT.invalid);
    expect(message).toMatch(/no host matches/);
  });

  it('--limit narrows every play', async () => {
    const { tasks } = await runText({
      playbook: play('    tasks:\n      - { name: x, debug: { msg: x } }\n'),
      settings: { limit: 'b,d' },
    });
    expect(tasks.map((line) => line[0])).toEqual(['b', 'd']);
  });

  it('strategy free lets a fast host run ahead', async () => {
    // b waits for a file that a makes in its last task: in lock-step this could never end well.
    const { tasks, exitCode } = await runText({
      playbook: `plays:
  - hosts: a:b
    strategy: free
    tasks:
      - name: wait
        command: test -e {{ flag }}
        when: n == 2
        until: result.code == 0
        register: result
        failed_when: false
        retries: 1000
        delay: 20ms
      - name: flag
        file: { path: "{{ flag }}", state: touch }
        when: n == 1
    vars: { flag: "/tmp/reeve-test-free-{{ run.started }}" }
  - hosts: a
    tasks:
      - file: { path: "/tmp/reeve-test-free-{{ run.started }}", state: absent }
`,
    });
    expect(exitCode).toBe(EXIT.done);
    expect(tasks.indexOf('a flag changed')).toBeLessThan(tasks.indexOf('b wait changed'));
  });

  it('throttle bounds how many hosts run a task at once', async () => {
    let now = 0;
    let most = 0;
    await runText({
      playbook: play('    tasks:\n      - { name: slow, command: sleep 0.05, throttle: 2 }\n'),
      onEvent: (event) => {
        if (event.type === 'effect-started') most = Math.max(most, ++now);
        if (event.type === 'effect-ended') now--;
      },
    });
    expect(most).toBe(2);
  });

  it('a task starts on a host when its turn has come, not before', async () => {
    const order: string[] = [];
    await runText({
      playbook: play('    tasks:\n      - { name: one, command: "true" }\n'),
      settings: { forks: 1 },
      onEvent: (event) => {
        if (event.type === 'task-started' || event.type === 'task-ended') order.push(`${event.host} ${event.type}`);
      },
    });
    expect(order).toEqual(['a', 'b', 'c', 'd'].flatMap((host) => [`${host} task-started`, `${host} task-ended`]));
  });

  it('a first Ctrl-C finishes the running task, starts nothing more, and exits 130', async () => {
    const { tasks, exitCode, events } = await runText({
      playbook: play('    tasks:\n      - { name: one, command: "true" }\n      - { name: two, command: "true" }\n'),
      onEvent: (event, interrupt) => {
        if (event.type === 'effect-started' && event.host === 'a') interrupt.press();
      },
    });
    expect(exitCode).toBe(EXIT.interrupted);
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', hint: '`reeve resume test-run` goes on with it' });
    expect(tasks).toContain('a one changed');
    expect(tasks.some((line) => line.includes('two'))).toBe(false);
  });

  it('after a first Ctrl-C a task does not begin on hosts that still wait for their turn', async () => {
    const { tasks, events, exitCode } = await runText({
      playbook: play('    tasks:\n      - { name: one, command: "true" }\n'),
      settings: { forks: 1 },
      onEvent: (event, interrupt) => {
        if (event.type === 'effect-started') interrupt.press();
      },
    });
    expect(exitCode).toBe(EXIT.interrupted);
    expect(tasks).toEqual(['a one changed']);
    expect(events.filter(({ type }) => type === 'task-started')).toHaveLength(1);
  });

  it.each([
    ['the tries of a task', '{ name: wait, assert: { that: n == 0 }, retries: 1, delay: 1h }'],
    ['the tries of a block', '{ retries: 1, delay: 1h, block: [{ name: wait, assert: { that: n == 0 } }] }'],
  ])('a first Ctrl-C does not wait between %s', async (_, step) => {
    const { events, exitCode } = await runText({
      playbook: `plays:\n  - hosts: a\n    tasks:\n      - ${step}\n`,
      onEvent: (event, interrupt) => {
        if (event.type === 'task-retry') interrupt.press();
      },
    });
    expect(exitCode).toBe(EXIT.interrupted);
    expect(events.filter(({ type }) => type === 'task-retry')).toHaveLength(1);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'task-ended',
        status: 'failed',
        message: expect.stringMatching(/^stopped after/),
      }),
    );
  });

  it('a first Ctrl-C does not wait between the items of a loop', async () => {
    const { of, exitCode } = await runText({
      playbook:
        'plays:\n  - hosts: a\n    tasks:\n      - { name: items, debug: x, loop: [1, 2], loop_control: { pause: 1h } }\n',
      onEvent: (event, interrupt) => {
        if (event.type === 'item-ended') interrupt.press();
      },
    });
    expect(exitCode).toBe(EXIT.interrupted);
    expect(of('items')[0]).toMatchObject({ status: 'failed', message: 'stopped after 1 of 2 items' });
  });

  it('a second Ctrl-C ends the running command', async () => {
    const { tasks, exitCode } = await runText({
      playbook: 'plays:\n  - hosts: a\n    tasks:\n      - { name: long, command: sleep 300 }\n',
      onEvent: (event, interrupt) => {
        if (event.type !== 'effect-started') return;
        interrupt.press();
        interrupt.press();
      },
    });
    expect(exitCode).toBe(EXIT.interrupted);
    expect(tasks).toEqual(['a long failed']);
  });
});

describe('gate and confirm', () => {
  const gated = (condition: string) => `plays:
  - hosts: web
    serial: 2
    tasks:
      - { name: work, debug: { msg: x } }
    gate:
      - { name: gate, assert: { that: "${condition}" } }
`;

  it('the gate runs once after every batch, the last one included, on the control machine', async () => {
    const { tasks, exitCode } = await runText({ playbook: gated('size(batch.hosts) == 2') });
    expect(exitCode).toBe(EXIT.done);
    expect(tasks).toEqual([
      'a work ok',
      'b work ok',
      'localhost gate ok',
      'c work ok',
      'd work ok',
      'localhost gate ok',
    ]);
  });

  it('a gate that refuses stops the batches after it: exit code 6', async () => {
    const { tasks, exitCode, message } = await runText({ playbook: gated("!('a' in batch.hosts)") });
    expect(exitCode).toBe(EXIT.refused);
    expect(tasks).toHaveLength(3);
    expect(message).toMatch(/gate .* refused after batch 1 of 2/);
  });

  it('confirm asks before the play; a no is exit code 6 and nothing runs', async () => {
    const playbook =
      'plays:\n  - hosts: web\n    confirm: "Upgrade {{ groups.web }}?"\n    tasks:\n      - debug: { msg: x }\n';
    const asked: string[] = [];
    const { tasks, exitCode } = await runText({
      playbook: playbook.replace('{{ groups.web }}', '{{ length groups.web }} hosts'),
      confirm: async (question) => {
        asked.push(question);
        return false;
      },
    });
    expect(asked).toEqual(['Upgrade 4 hosts?']);
    expect(exitCode).toBe(EXIT.refused);
    expect(tasks).toEqual([]);
  });

  it('confirm is not asked in check mode', async () => {
    const { exitCode, events } = await runText({
      playbook: 'plays:\n  - hosts: web\n    confirm: Sure?\n    tasks:\n      - debug: { msg: x }\n',
      settings: { check: true },
      confirm: async () => expect.unreachable('asked'),
    });
    expect(exitCode).toBe(EXIT.done);
    expect(events).toContainEqual(expect.objectContaining({ type: 'notice', message: 'would ask: Sure?' }));
  });
});
