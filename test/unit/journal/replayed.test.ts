import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { KilledRun } from '../../support/killed-run.ts';
import { large, sampled } from '../../support/size.ts';

const open: KilledRun[] = [];
function prepare(...args: ConstructorParameters<typeof KilledRun>): KilledRun {
  const run = new KilledRun(...args);
  open.push(run);
  return run;
}
afterEach(() => {
  for (const run of open.splice(0)) run[Symbol.dispose]();
});
const ready = (run: KilledRun) => writeFileSync(join(run.base, 'ready'), '');
const log = (text: string) => `echo ${text} >>{{ base }}/log`;

describe('a run that is resumed more than once', () => {
  it('does not do again what the first resume has made good', large, () => {
    const run = prepare(`
plays:
  - hosts: all
    tasks:
      - { name: first, shell: "${log('first')}; test -e {{ base }}/ready" }
      - { name: second, shell: "${log('second')}" }
      - { name: third, shell: "${log('third')}" }
`);
    expect(run.run(0).status).toBe(2);
    ready(run);
    expect(run.resumeAndDie('task-started:second').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(0);
    expect(run.read('log')).toBe('first\nfirst\nsecond\nthird\n');
  });

  it('leaves rescued what the first resume has rescued', large, () => {
    const run = prepare(`
plays:
  - hosts: all
    tasks:
      - block:
          - { name: bad, shell: "${log('bad')}; exit 1" }
        rescue:
          - { name: rescue, shell: "${log('rescued')}" }
      - { name: later, shell: "${log('later')}; test -e {{ base }}/ready" }
`);
    // On the way to its rescue.
    expect(run.run('task-ended').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(2);
    ready(run);
    expect(run.resume().status).toBe(0);
    expect(run.read('log')).toBe('bad\nrescued\nlater\nlater\n');
  });
});

it('variables that set-vars has set in a loop, or once for all hosts, are there again', () => {
  const run = prepare(`
plays:
  - hosts: all
    tasks:
      - set-vars: { list: "{{ item }}{{ default list '' }}" }
        loop: [a, b, c]
        when: item != 'b'
      - { set-vars: { once: "{{ run.id }}" }, run_once: true }
      - { name: fails, shell: "test -e {{ base }}/ready" }
      - { name: use, shell: "${log('{{ list }} {{ eq once run.id }}')}" }
`);
  expect(run.run(0).status).toBe(2);
  ready(run);
  expect(run.resume().status).toBe(0);
  expect(run.read('log')).toBe('ca true\n');
});

it('and so are those of a retried block, whose failed rounds are not gone through again', large, () => {
  const run = prepare(`
plays:
  - hosts: all
    tasks:
      - retries: 2
        delay: 0
        block:
          - { name: try, shell: "${log('try')}; test $(grep -c try {{ base }}/log) -gt 1" }
          - { name: end, shell: "${log('end')}" }
`);
  expect(run.run('task-started:end').signal).toBe('SIGKILL');
  expect(run.resume().status).toBe(0);
  expect(run.read('log')).toBe('try\ntry\nend\n');
});

describe('a host that failed', () => {
  it('has its pending handlers run by the resume that gets it to the end, once, after one that does not', () => {
    const run = prepare(`
plays:
  - hosts: all
    tasks:
      - { name: change, shell: "${log('change')}", notify: [told, other] }
      - { name: fails, shell: "test -e {{ base }}/ready" }
    handlers:
      - { name: told, shell: "${log('told')}" }
      - { name: other, shell: "${log('other')}" }
`);
    expect(run.run(0).status).toBe(2);
    expect(run.reeve('status').stdout).toContain('x: handlers that did not run: told, other');
    expect(run.resume().status).toBe(2);
    expect(run.read('log')).toBe('change\n');
    ready(run);
    expect(run.resumeAndDie('task-ended:told').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(0);
    expect(run.read('log')).toBe('change\ntold\nother\n');
    expect(run.reeve('status').stdout).not.toContain('handlers that did not run');
  });
});

describe('a host that joins', () => {
  it('does not make what runs once run again', large, () => {
    const run = prepare(
      `
plays:
  - hosts: all
    tasks:
      - { name: first, shell: "test {{ host.name }} != a -o -e {{ base }}/ready" }
      - { name: once, shell: "${log('once on {{ host.name }}')}; echo said", run_once: true, register: said }
      - { name: last, shell: "${log('{{ host.name }} {{ said.stdout }}')}" }
`,
      { hosts: 'a b' },
    );
    expect(run.run(0).status).toBe(2);
    ready(run);
    expect(run.resume().status).toBe(0);
    expect(run.read('log')).toBe('once on b\nb said\na said\n');
  });

  const seen = (what: string) => `echo ${what} {{ join batch.hosts ', ' }} >>{{ hosts.a.base }}/log`;

  it(
    'waits with serial for the batches that have begun, and each batch has a gate that has seen its hosts',
    large,
    () => {
      const run = prepare(
        `
plays:
  - hosts: all
    on_failure: continue
    tasks: [{ name: first, shell: "test {{ host.name }} != a -o -e {{ base }}/ready" }]
  - hosts: all
    serial: 1
    tasks: [{ name: do, shell: "${log('{{ host.name }}')}" }]
    gate: [{ name: look, shell: "${seen('gate')}" }]
  - hosts: all
    tasks: [{ name: all, shell: "${log('all')}" }]
    gate: [{ name: see, shell: "${seen('gate of')}" }]
`,
        { hosts: 'a b c' },
      );
      expect(run.run('task-started:see').signal).toBe('SIGKILL');
      expect(run.read('log')).toBe('b\ngate b\nc\ngate c\nall\nall\n');
      ready(run);
      expect(run.resumeAndDie('task-ended:see').signal).toBe('SIGKILL');
      const joined = 'b\ngate b\nc\ngate c\nall\nall\na\ngate a\nall\ngate of a, b, c\n';
      expect(run.read('log')).toBe(joined);
      expect(run.resume().status).toBe(0);
      expect(run.read('log')).toBe(joined);
      expect(run.reeve('report', 'last').stdout).toContain('a, b, c');
    },
  );

  it('a play in random order goes on with the batch that was under way', large, () => {
    const hosts = 'a b c d e f g h';
    const run = prepare(
      `
plays:
  - hosts: all
    serial: 1
    order: shuffle
    tasks:
      - { name: begin, shell: "${log('begin {{ host.name }}')}" }
      - { name: end, shell: "${log('end {{ host.name }}')}" }
`,
      { hosts },
    );
    expect(run.run('task-started:end').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(0);
    const lines = run.read('log').trim().split('\n');
    const begun = lines.filter((line) => line.startsWith('begin'));
    expect(lines).toEqual(begun.flatMap((line) => [line, line.replace('begin', 'end')]));
    expect(begun.map((line) => line.slice('begin '.length)).sort()).toEqual(hosts.split(' '));
  });
});

describe('a block', () => {
  it(
    'that was entered is gone through, and one that was left out is left out, whatever its condition says by now',
    large,
    () => {
      const run = prepare(`
plays:
  - hosts: all
    tasks:
      - when: "hosts.x.facts.hostname != '' && !inputs.flip"
        block:
          - { name: one, shell: "${log('one')}" }
          - loop: [1, 2]
            when: "!inputs.flip"
            block:
              - { name: two, shell: "${log('two-{{ item }}')}" }
      - when: inputs.flip
        block: [{ name: never, shell: "${log('never')}" }]
      - { name: last, shell: "${log('last')}; test -e {{ base }}/ready" }
inputs: { flip: { type: boolean, default: false } }
`);
      expect(run.run('task-started:two').signal).toBe('SIGKILL');
      // What a fact of the host would do by itself when the block changes it.
      expect(run.resume('-e', 'flip=true').status).toBe(2);
      expect(run.read('log')).toBe('one\ntwo-1\ntwo-2\nnever\nlast\n');
      ready(run);
      expect(run.resume('-e', 'flip=false').status).toBe(0);
      expect(run.read('log')).toBe('one\ntwo-1\ntwo-2\nnever\nlast\nlast\n');
    },
  );

  it('that failed, and whose `always` has put things away, is done again from its beginning, and the `always` after it', () => {
    const run = prepare(`
plays:
  - hosts: all
    tasks:
      - { name: before, shell: "${log('before')}" }
      - block:
          - { name: make, copy: { dest: "{{ base }}/temporary", content: here }, notify: told }
          - { name: stop, shell: "${log('stop')}" }
          - { name: work, shell: "${log('work')}; cat {{ base }}/temporary && test -e {{ base }}/ready" }
        always:
          - { name: clean, file: { path: "{{ base }}/temporary", state: absent } }
          - { name: start, shell: "${log('start')}" }
      - { name: last, shell: "${log('last')}; test -e {{ base }}/done" }
    handlers:
      - { name: told, shell: "${log('told')}" }
`);
    expect(run.run('task-started:start').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(2);
    ready(run);
    expect(run.resumeAndDie('task-started:start').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(2);
    writeFileSync(join(run.base, 'done'), '');
    expect(run.resume().status).toBe(0);
    const rounds = ['before', 'stop', 'work', 'stop', 'work', 'start', 'stop', 'work', 'start'];
    expect(run.read('log').split('\n')).toEqual([...rounds, 'last', 'last', 'told', '']);
  });

  it('that failed is done again also when an accepted change has moved it and given it another name', large, () => {
    const playbook = (before: string, name: string) => `
plays:
  - hosts: all
    tasks:
${before}
      - name: ${name}
        block:
          - { name: stop, shell: "${log('stop')}" }
          - { name: work, shell: "${log('work')}; test -e {{ base }}/ready" }
        always:
          - { name: start, shell: "${log('start')}" }
`;
    const run = prepare(playbook('', 'one'));
    expect(run.run(0).status).toBe(2);
    ready(run);
    writeFileSync(run.playbook, playbook(`      - { name: new, shell: "${log('new')}" }`, 'other'));
    expect(run.resume('--accept-changes').status).toBe(0);
    expect(run.read('log')).toBe('stop\nwork\nstart\nnew\nstop\nwork\nstart\n');
  });

  it(
    'that failed in its rescue is tried again as a whole; one whose `always` has only looked goes on where it failed',
    large,
    () => {
      const run = prepare(`
plays:
  - hosts: all
    tasks:
      - block:
          - { name: one, shell: "${log('one')}" }
          - { name: bad, shell: "${log('bad')}; test -e {{ base }}/ready" }
        rescue:
          - { name: rescue, shell: "${log('rescue')}; exit 1" }
      - block:
          - { name: two, shell: "${log('two')}" }
          - { name: worse, shell: "${log('worse')}; test -e {{ base }}/done" }
        always:
          - { name: look, shell: { cmd: "${log('look')}", reads: true } }
`);
      expect(run.run(0).status).toBe(2);
      ready(run);
      expect(run.resume().status).toBe(2);
      writeFileSync(join(run.base, 'done'), '');
      expect(run.resume().status).toBe(0);
      const first = ['one', 'bad', 'rescue', 'one', 'bad'];
      expect(run.read('log').split('\n')).toEqual([...first, 'two', 'worse', 'look', 'worse', 'look', '']);
    },
  );

  it('that failed, and whose next round or outer rescue is to come, is gone on with there after a kill', large, () => {
    const run = prepare(`
plays:
  - hosts: all
    tasks:
      - retries: 1
        delay: 1ms
        block: [{ name: try, shell: "${log('try')}; test $(grep -c try {{ base }}/log) = 2" }]
        always: [{ name: after, shell: "${log('after')}" }]
      - block:
          - block: [{ name: bad, shell: "${log('bad')}; test $(grep -c bad {{ base }}/log) = 2" }]
            always: [{ name: put back, shell: "${log('back')}" }]
        rescue: [{ name: rescue, shell: "${log('rescue')}" }]
`);
    expect(run.run('task-started:after').signal).toBe('SIGKILL');
    expect(run.resumeAndDie('task-ended:put back').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(0);
    expect(run.read('log').split('\n')).toEqual(['try', 'after', 'try', 'after', 'bad', 'back', 'rescue', '']);
  });

  it('that was tried until it went well is over: none of its rounds is done again', large, () => {
    const run = prepare(`
plays:
  - hosts: all
    tasks:
      - retries: 2
        delay: 1ms
        loop: [x, y]
        block:
          - { name: try, shell: "${log('try-{{ item }}')}; test -e {{ base }}/{{ item }}" }
          - { name: then, shell: "${log('then-{{ item }}')}" }
        always:
          - { name: after, shell: "touch {{ base }}/{{ item }}; ${log('after')}" }
      - { name: last, shell: "${log('last')}; test -e {{ base }}/ready" }
`);
    expect(run.run(0).status).toBe(2);
    const done = ['x', 'y'].flatMap((item) => [`try-${item}`, 'after', `try-${item}`, `then-${item}`, 'after']);
    expect(run.read('log').split('\n')).toEqual([...done, 'last', '']);
    expect(run.resume().status).toBe(2);
    ready(run);
    expect(run.resume().status).toBe(0);
    expect(run.read('log').split('\n')).toEqual([...done, 'last', 'last', 'last', '']);
  });
});

describe('items of a loop', () => {
  const LOOP = `
plays:
  - hosts: all
    tasks:
      - name: each
        shell: "${log('{{ item }}')}; test {{ item }} != b || test -e {{ base }}/ready"
        loop: [a, b, c]
        register: each
`;

  it('that failed are done again, and those around them are not, by a second resume neither', large, () => {
    const run = prepare(LOOP);
    expect(run.run(0).status).toBe(2);
    expect(run.read('log')).toBe('a\nb\nc\n');
    ready(run);
    expect(run.resumeAndDie('item-ended').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(0);
    expect(run.read('log')).toBe('a\nb\nc\nb\n');
  });

  it('that have the same label are each done once', large, () => {
    const run = prepare(`
plays:
  - hosts: all
    tasks:
      - name: each
        shell: "${log('{{ item.text }}')}"
        loop: [{ name: same, text: one }, { name: same, text: two }, { name: same, text: three }]
`);
    // run, play, batch, task; then effect-started, effect-ended, item-ended of the first item.
    expect(run.run('item-ended').signal).toBe('SIGKILL');
    // The second one has ended, and its item has not.
    expect(run.resumeAndDie('effect-ended').signal).toBe('SIGKILL');
    expect(run.resume().status).toBe(0);
    expect(run.read('log')).toBe('one\ntwo\nthree\n');
  });
});

describe('a secret', () => {
  const SECRET = 'correct-horse-battery';
  const more = { vars: '    token: !secret env:TOKEN\n', env: { TOKEN: SECRET } };

  it('that is the name of a host or of an item makes nothing be done again', large, () => {
    const playbook = `
plays:
  - hosts: all
    tasks:
      - { name: once, shell: "${log('{{ host.name }}')}" }
      - { name: each, shell: "${log('{{ item }}')}", loop: ["{{ token }}-1", "{{ token }}-2"] }
      - { name: stop, fail: { msg: stop }, when: "!inputs.go" }
inputs: { go: { type: boolean, default: false } }
`;
    const run = prepare(playbook, { ...more, hosts: `${SECRET}-1 ${SECRET}-2` });
    expect(run.run(0).status).toBe(2);
    const before = run.read('log');
    expect(run.resume('-e', 'go=true').status).toBe(0);
    expect(run.read('log')).toBe(before);
  });

  const use = `
      - { name: use, copy: { content: "{{ made.stdout }}\\n", dest: "{{ base }}/used" } }
`;
  const play = (task: string, rest = use) =>
    `plays:\n  - hosts: all\n    tasks:\n      - ${task}\n      - { name: between, shell: "true" }${rest}`;
  function killed(playbook: string, dieAfter = 'task-started:between'): KilledRun {
    const run = prepare(playbook, more);
    expect(run.run(dieAfter).signal).toBe('SIGKILL');
    return run;
  }

  it.each(
    sampled(
      [
        ['that a command reads', 'shell: { cmd: "echo {{ token }}", reads: true }'],
        ['that a command reads, with no_log', 'shell: { cmd: "echo {{ token }}", reads: true }, no_log: true'],
      ],
      1,
    ),
  )('%s is read again', (_what, args) => {
    const run = killed(play(`{ name: make, ${args}, register: made }`));
    expect(run.resume()).toMatchObject({ status: 0, stderr: '' });
    expect(run.read('used')).toBe(`${SECRET}\n`);
  });

  it.each(
    sampled(
      [
        ['printed', 'shell: "echo {{ token }}; echo made >>{{ base }}/log"'],
        [
          'printed with changed_when: false',
          'shell: "echo {{ token }}; echo made >>{{ base }}/log", changed_when: false',
        ],
        ['kept by no_log', 'shell: "echo quiet; echo made >>{{ base }}/log", no_log: true'],
        ['printed in a loop', 'shell: "echo {{ item }}; echo made >>{{ base }}/log", loop: ["{{ token }}"]'],
        [
          'kept by no_log in a loop',
          'shell: "echo {{ item }}; echo made >>{{ base }}/log", loop: [quiet], no_log: true',
        ],
      ],
      1,
    ),
  )('that an action has %s is an error where it is used, and the action is not repeated', (_what, args) => {
    const loop = args.includes('loop');
    const rest = loop ? use.replace('made.stdout', 'made.results[0].stdout') : use;
    const run = killed(play(`{ name: make, ${args}, register: made }`, rest));
    const { status, stdout } = run.resume();
    expect(status).toBe(2);
    expect(stdout).toMatch(/made\S*stdout is not known any more: it held a secret/);
    expect(run.left()).toEqual({ log: 'made\n' });
    expect(run.resume().status).toBe(2);
    // Given again it goes on, and is masked.
    const value = loop ? `{"results": [{"stdout": "${SECRET}-2"}]}` : `{"stdout": "${SECRET}-2"}`;
    const given = run.resume('-e', `made=${value}`, '--diff');
    expect([given.status, given.stderr]).toEqual([0, '']);
    expect(given.stdout).not.toContain(`${SECRET}-2`);
    expect(run.left()).toEqual({ log: 'made\n', used: `${SECRET}-2\n` });
  });

  it.each(
    sampled(
      [
        ['before its task has ended', 'effect-ended', ''],
        ['before its task has ended, with no_log', 'effect-ended', ', no_log: true'],
        ['in its loop', 'item-ended', ', loop: [1, 2]'],
        ['in its loop, with no_log', 'item-ended', ', loop: [1, 2], no_log: true'],
      ] as const,
      1,
    ),
  )('in what an action prints does not make it be repeated (killed %s)', (_what, type, args) => {
    const task = `{ name: make, shell: "echo {{ token }}; echo made >>{{ base }}/log", register: made${args} }`;
    const run = killed(play(task, '\n'), type);
    expect(run.resume()).toMatchObject({ status: 0, stderr: '' });
    expect(run.left()).toEqual({ log: 'made\n'.repeat(args.includes('loop') ? 2 : 1) });
  });

  it('decides no condition: one that needs it is an error, flags are known', large, () => {
    const rest = (when: string) => `\n      - { name: use, shell: "echo used >>{{ base }}/log", when: "${when}" }\n`;
    const task = '{ name: make, shell: "echo {{ token }}", no_log: true, register: made }';
    const flags = killed(play(task, rest('made.changed && !made.failed && !made.skipped')));
    expect(flags.resume().status).toBe(0);
    expect(flags.read('log')).toBe('used\n');
    for (const when of [
      "made.stdout != 'x'",
      'has(made.stdout) && made.stdout.size() > 8',
      "made.stdout_lines[0] == 'a'",
    ]) {
      const { status, stdout } = killed(play(task, rest(when))).resume();
      expect([status, stdout]).toEqual([2, expect.stringContaining('is not known any more')]);
    }
  });

  it('in a variable that set-vars has set is rendered again, and one that cannot be is an error', large, () => {
    const good = killed(play('{ name: make, set-vars: { late: "{{ token }}!" } }', use.replace('made.stdout', 'late')));
    expect(good.resume().status).toBe(0);
    expect(good.read('used')).toBe(`${SECRET}!\n`);
  });

  it('in the record of a change makes it one that cannot be taken back, not a path of stars', large, () => {
    const run = prepare(
      `plays:
  - hosts: all
    tasks:
      - { name: open, copy: { content: "x", dest: "{{ base }}/open" } }
      - { name: hidden, copy: { content: "x", dest: "{{ base }}/{{ token }}" } }
`,
      more,
    );
    expect(run.run(0).status).toBe(0);
    const { status, stdout } = run.reeve('rollback', 'last', '--yes');
    expect([status, stdout]).toEqual([0, expect.stringMatching(/CANNOT .*hidden.*its record holds a secret/)]);
    expect(Object.keys(run.left())).toEqual([SECRET]);
  });

  it('in a whole register that is written as it is', large, () => {
    const rest = '\n      - { name: use, copy: { content: "{{ json made }}", dest: "{{ base }}/used" } }\n';
    const run = killed(play('{ name: make, shell: "echo {{ token }}", register: made }', rest));
    expect(run.resume()).toMatchObject({ status: 2, stdout: expect.stringContaining('is not known any more') });
    expect(run.left()).toEqual({});
  });

  it.each(
    sampled(
      [
        ['has no default', '', 5],
        ['has a default', ', default: of-nobody', 5],
        ['holds a secret', ', default: of-nobody', 5],
      ],
      1,
    ),
  )('that an input %s must be given again', (what, spec, code) => {
    const secret = what !== 'holds a secret';
    const run = prepare(
      `inputs: { key: { type: string${secret ? ', secret: true' : ''}${spec} } }
plays:
  - hosts: all
    tasks:
      - { name: stop, fail: { msg: stop } }
      - { name: use, copy: { content: "{{ inputs.key }} {{ token }}", dest: "{{ base }}/used" } }
`,
      more,
    );
    const key = `key=${secret ? 'real-secret' : `has ${SECRET}`}`;
    expect(run.reeve('run', run.playbook, '-i', run.inventory, '-e', key).status).toBe(2);
    expect(run.resume()).toMatchObject({
      status: secret && spec === '' ? 4 : code,
      stderr: expect.stringContaining('key'),
    });
    expect(run.resume('-e', key).status).toBe(2);
  });
});
