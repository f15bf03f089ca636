import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { CliFolder, LOCAL_INVENTORY } from '../../support/cli.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());
folder.write('inventory.yaml', LOCAL_INVENTORY);
folder.write('unreachable.yaml', {
  reeve: 1,
  all: { hosts: { gone: { address: '127.0.0.1', ssh_port: 1, connect_timeout: '2s' } } },
});

/** A playbook of one play on all hosts. */
function playbook(
  name: string,
  tasks: unknown[],
  more: Record<string, unknown> = {},
  play: Record<string, unknown> = {},
) {
  return folder.write(name, { ...more, plays: [{ hosts: 'all', ...play, tasks }] });
}

const target = join(folder.dir, 'kept');
const copying = playbook('copy.yaml', [{ copy: { dest: target, content: 'one\ntwo\n' } }]);

describe('exit codes', () => {
  it('0 when all is done, and nothing changes a second time', async () => {
    const file = playbook('twice.yaml', [{ copy: { dest: join(folder.dir, 'twice'), content: 'x\n' } }]);
    const first = await folder.run(['run', file]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('here  ok=1  changed=1');
    const second = await folder.run(['run', file]);
    expect(second.stdout).toContain('here  ok=1  changed=0');
  });

  it('2 when a task failed', async () => {
    const { code, stdout } = await folder.run(['run', playbook('fail.yaml', [{ fail: 'it is broken' }])]);
    expect(stdout).toMatch(/failed +here: fail — it is broken/);
    expect(stdout).toContain('fail.yaml:4:9');
    expect(code).toBe(2);
  });

  it('2 for a connection that makes no sense, with nothing left running', async () => {
    folder.write('winrm', 'w ansible_connection=winrm\n');
    const file = playbook('winrm.yaml', [{ command: 'true' }]);
    const { code, stdout, stderr } = await folder.start(['run', file, '-i', 'winrm', '--output', 'plain']).ended;
    expect(code).toBe(2);
    expect(stdout).toContain('it can be ssh, openssh, local or pct');
    expect(stderr).not.toContain('still open');
  });

  it('3 when a host cannot be reached', async () => {
    const { code, stdout } = await folder.run(['run', copying, '-i', 'unreachable.yaml']);
    expect(stdout).toMatch(/unreachable +gone: /);
    expect(code).toBe(3);
  });

  it('4 for an invalid playbook, with every mistake, before anything is done', async () => {
    const file = playbook('bad.yaml', [
      { copy: { dest: join(folder.dir, 'never'), content: 'x' } },
      { copy: { dst: '/x', content: 'x' } },
      { debug: '{{ nowhere }}' },
      { debug: 'x', wehn: 'true' },
    ]);
    const { code, stdout, stderr } = await folder.run(['run', file]);
    expect(stderr).toContain('`dst`');
    expect(stderr).toContain('`nowhere` is not defined here');
    expect(stderr).toContain('did you mean `when`?');
    expect(stdout).toBe('');
    expect(code).toBe(4);
    expect(() => readFileSync(join(folder.dir, 'never'))).toThrow();
  });

  it('4 when an input has no value', async () => {
    const file = playbook('input.yaml', [{ debug: '{{ inputs.name }}' }], { inputs: { name: { type: 'string' } } });
    expect(await folder.run(['run', file])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('-e name=VALUE'),
    });
  });

  it('refuses an -e that nothing uses, with the nearest input', async () => {
    const file = playbook('typo.yaml', [{ debug: '{{ inputs.version }}' }], {
      inputs: { version: { type: 'string', default: '1' } },
    });
    const { code, stderr } = await folder.run(['run', file, '-e', 'verison=2']);
    expect(stderr).toContain('-e verison: no input has this name');
    expect(stderr).toContain('did you mean version?');
    expect([4, 5]).toContain(code);
  });

  it('6 when a question has nobody to answer it, and 0 with --yes', async () => {
    const file = playbook('confirm.yaml', [{ debug: 'go' }], {}, { confirm: 'Really?' });
    const refused = await folder.run(['run', file]);
    expect(refused).toMatchObject({ code: 6, stdout: expect.stringContaining('this needs a yes: Really?') });
    expect(refused.stdout).not.toContain('go');
    expect(await folder.run(['run', file, '--yes'])).toMatchObject({ code: 0 });
  });

  it('10 with --check --detailed-exitcode when something is pending, else 0', async () => {
    const file = playbook('pending.yaml', [{ copy: { dest: join(folder.dir, 'pending'), content: 'x\n' } }]);
    expect(await folder.run(['run', file, '--check', '--detailed-exitcode'])).toMatchObject({ code: 10 });
    expect(await folder.run(['run', file, '--check'])).toMatchObject({ code: 0 });
    await folder.run(['run', file]);
    expect(await folder.run(['run', file, '--check', '--detailed-exitcode'])).toMatchObject({ code: 0 });
  });
});

describe('output', () => {
  it('5 with --detailed-exitcode alone: who asks for a check does not get a run', async () => {
    const file = playbook('detailed.yaml', [{ copy: { dest: join(folder.dir, 'detailed'), content: 'x' } }]);
    expect(await folder.run(['run', file, '--detailed-exitcode'])).toMatchObject({ code: 5 });
    expect(existsSync(join(folder.dir, 'detailed'))).toBe(false);
  });

  it('holds no escape codes without a terminal, whatever is asked for', async () => {
    const tasks = [{ shell: "printf '\\033[31mred\\033[0m\\n'" }, { fail: 'no' }];
    const file = playbook('colours.yaml', tasks);
    for (const args of [[], ['-v', '-D'], ['--output', 'tree'], ['--output', 'auto']]) {
      const { stdout, stderr } = await folder.run(['run', file, ...args]);
      expect(stdout + stderr).not.toContain('\u001b');
    }
  });

  it('--diff shows what changes as a unified diff', async () => {
    folder.write('kept', 'one\nthree\n');
    const { stdout } = await folder.run(['run', copying, '--check', '--diff']);
    expect(stdout).toContain(`--- ${target} (before)`);
    expect(stdout).toMatch(/^ +@@ -1,2 \+1,2 @@\n +one\n +-three\n +\+two$/m);
    expect((await folder.run(['run', copying, '--check'])).stdout).not.toContain('@@');
  });

  it('--output json is one event a line, as the schema has it', async () => {
    const file = playbook('all.yaml', [
      { shell: 'echo out; echo err >&2' },
      { copy: { dest: join(folder.dir, '{{ item }}'), content: 'x' }, loop: ['a', 'b'] },
      { debug: 'x', when: 'false' },
      { fail: 'no', ignore_errors: true },
      { fail: 'no' },
    ]);
    const { stdout, stderr, code } = await folder.run(['run', file, '--output', 'json']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 2 });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const schema = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../schemas/event.schema.json'), 'utf8'));
    const ajv = new Ajv({ strict: false, discriminator: false });
    (addFormats as unknown as (ajv: Ajv) => void)(ajv);
    const isValid = ajv.compile(schema);
    for (const event of events)
      expect(isValid(event), `${JSON.stringify(event)} ${ajv.errorsText(isValid.errors)}`).toBe(true);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const types = new Set(events.map(({ type }) => type));
    for (const type of ['run-started', 'task-output', 'effect-started', 'item-ended', 'run-ended']) {
      expect(types).toContain(type);
    }
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', exitCode: 2, outcome: 'failed' });
  });

  it('-v shows the output of commands as it comes, and every task', async () => {
    const file = playbook('output.yaml', [{ shell: 'echo first; printf second' }, { debug: 'x', when: 'false' }]);
    const { stdout } = await folder.run(['run', file, '-v']);
    expect(stdout).toMatch(/│ +here: first\n +│ +here: second\n +changed/);
    expect(stdout).toMatch(/skipped +here: debug — not wanted: false/);
    expect((await folder.run(['run', file])).stdout).not.toContain('│');
  });

  it('calls a task without a name by what it does', async () => {
    const file = playbook('names.yaml', [
      { command: { argv: ['true', 'x y'] } },
      { copy: { content: 'secret', dest: join(folder.dir, 'n') }, no_log: true },
    ]);
    const { stdout } = await folder.run(['run', file]);
    expect(stdout).toMatch(/here: command true x y$/m);
    expect(stdout).toMatch(/here: copy$/m);
  });
});

describe('lists', () => {
  const file = folder.write('lists.yaml', {
    plays: [
      {
        name: 'first',
        hosts: '{{ inputs.where }}',
        tags: ['base'],
        tasks: [
          { name: 'one', debug: 'x', tags: ['a'] },
          { block: [{ command: 'uptime', tags: ['b'] }], tags: ['c'] },
        ],
      },
    ],
    inputs: { where: { type: 'string', default: 'all' } },
  });

  it('--list-hosts, --list-tasks and --list-tags connect nowhere', async () => {
    const args = ['run', file, '-i', 'unreachable.yaml', '--list-hosts', '--list-tasks', '--list-tags'];
    const { code, stdout } = await folder.run(args);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'PLAY first',
        '  hosts (1)',
        '    gone',
        '  tasks (2)',
        '    one  [base, a]',
        '    command uptime  [base, c, b]',
        '  tags (4)',
        '    a',
        '    b',
        '    base',
        '    c',
        '',
      ].join('\n'),
    );
  });

  it('refuses a tag that nothing has: to skip it would leave out nothing', async () => {
    for (const option of ['--tags', '--skip-tags']) {
      const { code, stderr } = await folder.run(['run', file, option, 'nowhere']);
      expect(stderr).toContain(`${option} nowhere: nothing in the playbook has this tag`);
      expect(stderr).toContain('its tags are');
      expect(code).toBe(5);
    }
  });

  it('lists only what --tags lets run', async () => {
    const { stdout } = await folder.run(['run', file, '--list-tasks', '--tags', 'b']);
    expect(stdout).toContain('command uptime');
    expect(stdout).not.toContain('one');
  });
});

it('a password given with -e is not recorded, however short it is', async () => {
  const { code } = await folder.run(['run', copying, '-e', 'become_password=p4ss', '--runs', 'recorded']);
  expect(code).toBe(0);
  const files = readdirSync(join(folder.dir, 'recorded'), { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
  expect(texts.length).toBeGreaterThan(1);
  expect(texts.join('\n')).not.toContain('p4ss');
});

it('exec runs one module; what follows -- is never an option of reeve', async () => {
  const { code, stdout } = await folder.run(['exec', 'all', 'command', '--', 'echo', '-h', '--yes']);
  expect(stdout).toMatch(/here: -h --yes$/m);
  expect(code).toBe(0);
});
