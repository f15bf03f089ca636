import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../runner/errors.ts';
import { runText } from '../../support/run-playbook.ts';

/** A play on host a (or others) with these tasks. */
const tasks = (body: string, hosts = 'a', more = '') => `plays:\n  - hosts: ${hosts}\n${more}    tasks:\n${body}`;

describe('blocks', () => {
  it('rescue runs for hosts that failed, always for all; a rescued host goes on and is no failure', async () => {
    const run = await runText({
      playbook: tasks(
        `      - block:
          - { name: check, assert: { that: n != 2 } }
          - { name: after, debug: { msg: x } }
        rescue:
          - { name: mend, debug: { msg: x } }
        always:
          - { name: tidy, debug: { msg: x } }
      - { name: next, debug: { msg: x } }
`,
        'a:b',
      ),
    });
    expect(run.exitCode).toBe(EXIT.done);
    expect(run.tasks).toEqual([
      'a check ok',
      'b check failed',
      'a after ok',
      'b mend ok',
      'a tidy ok',
      'b tidy ok',
      'a next ok',
      'b next ok',
    ]);
    expect(run.recap.b).toMatchObject({ failed: 0, rescued: 1 });
  });

  it('rescue runs on an unreachable host too', async () => {
    const run = await runText({
      inventory: 'reeve: 1\nall:\n  hosts:\n    away: { address: 127.0.0.1, ssh_port: 1, connect_timeout: 2 }\n',
      playbook: tasks(
        `      - block:
          - { name: try, command: "true" }
        rescue:
          - { name: mend, debug: { msg: x } }
`,
        'away',
      ),
    });
    expect(run.tasks).toEqual(['away try unreachable', 'away mend ok']);
    expect(run.exitCode).toBe(EXIT.done);
  });

  it('a failure in rescue is a failure; always still runs', async () => {
    const run = await runText({
      playbook: tasks(`      - block:
          - { name: one, fail: { msg: x } }
        rescue:
          - { name: two, fail: { msg: y } }
        always:
          - { name: three, debug: { msg: x } }
      - { name: four, debug: { msg: x } }
`),
    });
    expect(run.tasks).toEqual(['a one failed', 'a two failed', 'a three ok']);
    expect(run.exitCode).toBe(EXIT.taskFailed);
  });

  it('a block loops, with item and index inside, and names each round in its tasks’ ids', async () => {
    const run = await runText({
      playbook: tasks(`      - loop: [x, y]
        block:
          - { name: say, debug: { msg: "{{ item }}{{ index }}" } }
`),
    });
    expect(run.of('say').map((event) => [event.task.id, event.message])).toEqual([
      ['plays[0].tasks[0].block[0]#0', 'x0'],
      ['plays[0].tasks[0].block[0]#1', 'y1'],
    ]);
  });

  it('a block is tried again until its condition holds', async () => {
    const run = await runText({
      playbook: tasks(
        `      - block:
          - { name: count, shell: "printf x >> {{ file }}; wc -c < {{ file }}", register: size }
        until: int(size.stdout) == 2
        retries: 3
        delay: 1ms
      - file: { path: "{{ file }}", state: absent }
`,
        'a',
        '    vars: { file: "/tmp/reeve-test-{{ run.started }}-block" }\n',
      ),
    });
    expect(run.of('count').map((event) => event.task.id)).toEqual([
      'plays[0].tasks[0].block[0]',
      'plays[0].tasks[0].block[0]~2',
    ]);
    expect(run.exitCode).toBe(EXIT.done);
  });

  it('a block that fails is tried again and then given up', async () => {
    const run = await runText({
      playbook: tasks(`      - block:
          - { name: no, fail: { msg: x } }
        retries: 2
        delay: 1ms
`),
    });
    expect(run.of('no')).toHaveLength(3);
    expect(run.exitCode).toBe(EXIT.taskFailed);
  });

  it('a task that was left out with its block registers that it was skipped, as one alone does', async () => {
    const { of, exitCode } = await runText({
      playbook: tasks(`      - { when: n > 1, block: [{ debug: x, register: block }] }
      - { loop: [], block: [{ debug: x, register: rounds }] }
      - { debug: x, loop: [1], when: n > 1, register: loop }
      - { name: say, debug: "{{ block.skipped }} {{ rounds.skipped }} {{ loop.skipped }} {{ json loop.results }}" }
`),
    });
    expect(exitCode).toBe(EXIT.done);
    expect(of('say')[0]!.message).toBe('true true true []');
  });

  it('when on a block is asked once, before it', async () => {
    const run = await runText({
      playbook: tasks(
        `      - name: guarded
        when: go
        block:
          - { name: stop, set-vars: { go: false } }
          - { name: still, debug: { msg: x } }
        vars: {}
      - name: guarded again
        when: go
        block:
          - { name: never, debug: { msg: x } }
`,
        'a',
        '    vars: { go: true }\n',
      ),
    });
    expect(run.tasks).toEqual(['a stop ok', 'a still ok', 'a guarded again skipped']);
  });
});

describe('loops and tries', () => {
  it('loops over a list, a mapping, and an expression; results hold each item', async () => {
    const run = await runText({
      playbook: tasks(`      - { name: list, debug: { msg: "{{ item }}" }, loop: [1, 2], register: out }
      - { name: map, debug: { msg: "{{ item.key }}={{ item.value }}" }, loop: { k: v } }
      - { name: expr, debug: { msg: "{{ item }}" }, loop: "out.results.map(r, r.item + 1)" }
      - { name: same, assert: { that: "out.results.map(r, r.item) == [1, 2]" } }
`),
    });
    const items = run.events.flatMap((event) => (event.type === 'item-ended' ? [event.message] : []));
    expect(items).toEqual(['1', '2', 'k=v', '2', '3']);
    expect(run.exitCode).toBe(EXIT.done);
  });

  it('asks when for each item where it names the item, and before the loop where it does not', async () => {
    const run = await runText({
      playbook: tasks(`      - { name: each, debug: { msg: "{{ item }}" }, loop: [1, 2, 3], when: item != 2 }
      - { name: before, debug: { msg: "{{ item }}" }, loop: "missing.list", when: defined(missing) }
`),
    });
    const items = run.events.flatMap((event) => (event.type === 'item-ended' ? [event.status] : []));
    expect(items).toEqual(['ok', 'skipped', 'ok']);
    expect(run.of('before')[0]!.status).toBe('skipped');
  });

  it('a loop without items is skipped', async () => {
    const run = await runText({ playbook: tasks('      - { name: none, debug: { msg: x }, loop: [] }\n') });
    expect(run.of('none')[0]).toMatchObject({ status: 'skipped', message: 'the loop has no items' });
  });

  it('names each item that failed, and shows what each of the others says', async () => {
    const { of } = await runText({
      playbook:
        tasks(`      - { name: failed, assert: { that: item > 2, fail_msg: too few }, loop: [1, 2, 3], ignore_errors: true }
      - { name: fine, debug: "{{ item }}", loop: [a, b, c], when: item != 'b' }
`),
    });
    expect(of('failed')[0]!.message).toMatch(/^1: too few\n(.*\n)*2: too few/);
    expect(of('fine')[0]!.message).toBe('a\nc');
  });

  it('loop_control names item and index, labels items, and hides nothing else', async () => {
    const run = await runText({
      playbook: tasks(`      - name: named
        debug: { msg: "{{ pkg.name }}{{ at }}" }
        loop: [{ name: curl, url: u }, { name: jq, url: v }]
        loop_control: { loop_var: pkg, index_var: at, label: "{{ pkg.name }}!" }
`),
    });
    const items = run.events.flatMap((event) => (event.type === 'item-ended' ? [[event.item, event.message]] : []));
    expect(items).toEqual([
      ['curl!', 'curl0'],
      ['jq!', 'jq1'],
    ]);
  });

  it('retries until the condition holds, and tells each try', async () => {
    const run = await runText({
      playbook: tasks(
        `      - name: grow
        shell: "printf x >> {{ file }}; wc -c < {{ file }}"
        register: size
        until: int(size.stdout) >= 3
        retries: 5
        delay: 1ms
        backoff: 2
      - file: { path: "{{ file }}", state: absent }
`,
        'a',
        '    vars: { file: "/tmp/reeve-test-{{ run.started }}-grow" }\n',
      ),
    });
    const retries = run.events.flatMap((event) => (event.type === 'task-retry' ? [[event.attempt, event.delay]] : []));
    expect(retries).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(run.of('grow')[0]!.result).toMatchObject({ attempts: 3, stdout: '3' });
  });

  it('gives up after the last try with the condition in the message', async () => {
    const run = await runText({
      playbook: tasks(`      - name: never
        command: "true"
        register: out
        until: out.code == 1
        retries: 1
        delay: 1ms
`),
    });
    expect(run.of('never')[0]).toMatchObject({ status: 'failed', message: expect.stringContaining('out.code == 1') });
  });
});

describe('results', () => {
  it('changed_when and failed_when decide from the result', async () => {
    const run = await runText({
      playbook: tasks(`      - { name: quiet, command: "true", changed_when: false }
      - { name: fine, command: "false", register: r, failed_when: r.code > 1, changed_when: r.code == 1 }
      - { name: bad, command: echo oops, register: r, failed_when: "r.stdout.contains('oops')" }
`),
    });
    expect(run.tasks).toEqual(['a quiet ok', 'a fine changed', 'a bad failed']);
  });

  it('ignore_errors lets the host go on and keeps the failure in the register', async () => {
    const run = await runText({
      playbook: tasks(`      - { name: bad, command: "false", ignore_errors: true, register: r }
      - { name: seen, assert: { that: [r.failed, r.code == 1] } }
`),
    });
    expect(run.tasks).toEqual(['a bad ignored', 'a seen ok']);
    expect(run.exitCode).toBe(EXIT.done);
  });

  it('no_log hides results, changes and the reason', async () => {
    const run = await runText({
      playbook: tasks('      - { name: hush, shell: echo tell-nobody; exit 1, no_log: true }\n'),
    });
    expect(JSON.stringify(run.events.filter((event) => event.type !== 'run-started'))).not.toContain('tell-nobody');
    expect(run.of('hush')[0]!.message).toMatch(/hidden by no_log/);
  });

  it('a secret input is masked wherever it turns up', async () => {
    const run = await runText({
      playbook: `inputs:
  token: { type: string, secret: true }
${tasks(`      - { name: leak, shell: "echo {{ inputs.token }} | base64; echo got {{ inputs.token }}" }
      - { name: fail, fail: { msg: "bad token {{ inputs.token }}" } }
`)}`,
      extra: { token: 'swordfish-42' },
    });
    const all = JSON.stringify(run.events);
    expect(all).not.toContain('swordfish');
    expect(all).not.toContain(Buffer.from('swordfish-42\n').toString('base64').slice(0, 12));
    expect(all).toContain('got ********');
  });
});

describe('handlers', () => {
  const handlers = `    handlers:
      - { name: first, debug: { msg: x } }
      - { name: second, debug: { msg: x }, listen: [both] }
      - { name: third, debug: { msg: x }, listen: [both], notify: [last] }
      - { name: last, debug: { msg: x } }
`;

  it('run once, in the order they are written, after the section; only where notified', async () => {
    const run = await runText({
      playbook: `${tasks(
        `      - { name: one, command: "true", notify: [second, first], when: n == 1 }
      - { name: two, command: "true", notify: [first] }
      - { name: same, command: "true", changed_when: false, notify: [last] }
`,
        'a:b',
      )}    post_tasks:
      - { name: post, debug: { msg: x } }
${handlers}`,
    });
    expect(run.tasks.slice(4)).toEqual(expect.arrayContaining([]));
    expect(run.tasks.filter((line) => /first|second|third|last|post/.test(line))).toEqual([
      'a first ok',
      'b first ok',
      'a second ok',
      'a post ok',
      'b post ok',
    ]);
  });

  it('listen names a topic, and a handler can notify another', async () => {
    const run = await runText({
      playbook: `${tasks('      - { name: go, command: "true", notify: both }\n')}${handlers.replace('- { name: third, debug: { msg: x }', '- { name: third, command: "true"')}`,
    });
    expect(run.tasks).toEqual(['a go changed', 'a second ok', 'a third changed', 'a last ok']);
  });

  it('flush-handlers runs them at once', async () => {
    const run = await runText({
      playbook: `${tasks('      - { name: go, command: "true", notify: first }\n      - flush-handlers:\n      - { name: after, debug: { msg: x } }\n')}${handlers}`,
    });
    expect(run.tasks.filter((line) => !line.includes('flush'))).toEqual(['a go changed', 'a first ok', 'a after ok']);
  });

  it('of a failed host do not run and are named; force_handlers runs them', async () => {
    const body = '      - { name: go, command: "true", notify: first }\n      - { name: no, fail: { msg: x } }\n';
    const left = await runText({ playbook: `${tasks(body)}${handlers}` });
    expect(left.tasks).toEqual(['a go changed', 'a no failed']);
    expect(left.events).toContainEqual(
      expect.objectContaining({ type: 'handlers-pending', host: 'a', handlers: ['first'] }),
    );
    const forced = await runText({ playbook: `${tasks(body, 'a', '    force_handlers: true\n')}${handlers}` });
    expect(forced.tasks).toEqual(['a go changed', 'a no failed', 'a first ok']);
    expect(forced.exitCode).toBe(EXIT.taskFailed);
  });
});

describe('where tasks run', () => {
  it('delegate_to keeps variables and register, and uses the connection of the delegate', async () => {
    const run = await runText({
      inventory:
        'reeve: 1\nall:\n  hosts:\n    away: { address: 127.0.0.1, ssh_port: 1, connect_timeout: 2, mark: original }\n    near: { transport: local, mark: delegate }\n',
      playbook: tasks(
        `      - { name: there, command: "echo {{ mark }} {{ host.name }}", delegate_to: near, register: r }
      - { name: kept, assert: { that: r.stdout == 'original away' } }
`,
        'away',
      ),
    });
    expect(run.tasks).toEqual(['away there changed', 'away kept ok']);
    expect(run.events.find((event) => event.type === 'task-started')).toMatchObject({ host: 'away', delegate: 'near' });
  });

  it('a lost delegate counts as the original being unreachable', async () => {
    const run = await runText({
      inventory:
        'reeve: 1\nall:\n  hosts:\n    away: { address: 127.0.0.1, ssh_port: 1, connect_timeout: 2 }\n    near: { transport: local }\n',
      playbook: tasks('      - { name: there, command: "true", delegate_to: away }\n', 'near'),
    });
    expect(run.tasks).toEqual(['near there unreachable']);
    expect(run.exitCode).toBe(EXIT.unreachable);
  });

  it('run_once is the first willing host, once a play over all batches, and its register is every host’s', async () => {
    const run = await runText({
      playbook: tasks(
        `      - { name: once, command: "echo {{ host.name }}", run_once: true, when: n >= 2, register: r }
      - { name: all, assert: { that: r.stdout == 'b' } }
`,
        'web',
        '    serial: 2\n',
      ),
    });
    expect(run.of('once').map((event) => `${event.host} ${event.status}`)).toEqual(['a skipped', 'b changed']);
    expect(run.of('all').map((event) => event.status)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  it('run_once with strategy free is still once, on a willing host', async () => {
    const run = await runText({
      playbook: tasks(
        `      - { name: once, command: "echo {{ host.name }}", run_once: true, when: n == 3, register: r }
      - { name: later, debug: { msg: "{{ r.stdout }}" }, when: n == 3 }
`,
        'web',
        '    strategy: free\n',
      ),
    });
    expect(run.of('once').filter((event) => event.status === 'changed')).toHaveLength(1);
    expect(run.of('later').find((event) => event.host === 'c')!.message).toBe('c');
  });

  it('set-vars sets in a loop, item by item, and with run_once for all hosts', async () => {
    const { exitCode, of } = await runText({
      playbook: tasks(
        `      - { name: sum, set-vars: { sum: "{{ json item }}{{ default sum '' }}" }, loop: [1, 2, 3], when: item != 2 }
      - { name: once, set-vars: { first: "{{ host.name }}" }, run_once: true }
      - { name: say, debug: "{{ sum }} {{ first }}" }
`,
        'web',
      ),
    });
    expect(exitCode).toBe(EXIT.done);
    expect(of('say').map(({ message }) => message)).toEqual(Array(4).fill('31 a'));
  });

  it('environment is merged from play to task, and timeout ends a command that takes too long', async () => {
    const run = await runText({
      playbook: tasks(
        `      - { name: env, shell: 'echo $A $B', environment: { B: task }, register: r }
      - { name: check, assert: { that: r.stdout == 'play task' } }
      - { name: long, command: sleep 300, timeout: 200ms }
`,
        'a',
        '    environment: { A: play, B: play }\n',
      ),
    });
    expect(run.tasks).toEqual(['a env changed', 'a check ok', 'a long failed']);
  });

  it('includes run with their variables, and tags choose steps', async () => {
    const files = { 'inner.yaml': '- { name: inner, debug: { msg: "{{ who }}" } }\n' };
    const playbook = tasks(`      - { include: inner.yaml, vars: { who: x }, tags: [inc] }
      - { include: inner.yaml, vars: { who: y } }
      - { name: always, debug: { msg: z }, tags: [always] }
      - { name: never, debug: { msg: z }, tags: [never, special] }
`);
    const messages = async (settings: object) =>
      (await runText({ playbook, files, settings })).events.flatMap((e) =>
        e.type === 'task-ended' ? [e.message] : [],
      );
    expect(await messages({})).toEqual(['x', 'y', 'z']);
    expect(await messages({ tags: ['inc'] })).toEqual(['x', 'z']);
    expect(await messages({ skipTags: ['inc'] })).toEqual(['y', 'z']);
    expect(await messages({ tags: ['special'] })).toEqual(['z', 'z']);
  });
});

describe('differences', () => {
  it('a task’s own diff goes with its event, whatever the command line says', async () => {
    const run = await runText({
      playbook: tasks(
        '      - { name: shown, debug: { msg: x }, diff: true }\n      - { name: plain, debug: { msg: x } }\n',
      ),
    });
    expect(run.of('shown')[0]!.diff).toBe(true);
    expect(run.of('plain')[0]!.diff).toBeUndefined();
  });
});
