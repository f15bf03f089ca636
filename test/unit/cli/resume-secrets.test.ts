import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { CliFolder, LOCAL_INVENTORY } from '../../support/cli.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());

it('a secret input that was given must be given again: its default never takes its place unseen', async () => {
  folder.write('inventory.yaml', LOCAL_INVENTORY);
  folder.write('play.yaml', {
    inputs: {
      token: { type: 'string', secret: true, default: 'the-default' },
      other: { type: 'string', secret: true, default: 'another-default' },
    },
    plays: [
      {
        hosts: 'here',
        tasks: [
          { command: { cmd: 'test -e go', chdir: folder.dir } },
          { copy: { dest: join(folder.dir, 'out'), content: '{{ inputs.token }}' } },
        ],
      },
    ],
  });
  expect((await folder.run(['run', 'play.yaml', '-i', 'inventory.yaml', '-e', 'token=the-real-one'])).code).toBe(2);
  folder.write('go', '');
  const refused = await folder.run(['resume', 'last']);
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('token must be given again')]);
  expect(refused.stderr).not.toContain('other');
  expect((await folder.run(['resume', 'last'], { REEVE_INPUT_TOKEN: 'the-real-one' })).code).toBe(0);
  expect(readFileSync(join(folder.dir, 'out'), 'utf8')).toBe('the-real-one');
});

it('a password that stands in the inventory, or was given with -e, is masked by a resume as well', async () => {
  const inventory = (password: string) => ({
    reeve: 1,
    all: { hosts: { here: { transport: 'local', ssh_password: password } } },
  });
  const echo = { shell: 'echo {{ ssh_password }} {{ become_password }} >/dev/null' };
  folder.write('passwords.yaml', inventory('one-of-the-inventory'));
  folder.write('told.yaml', {
    plays: [{ hosts: 'here', tasks: [{ command: { cmd: 'test -e went', chdir: folder.dir } }, echo] }],
  });
  const password = ['-e', 'become_password=one-by-hand'];
  expect((await folder.run(['run', 'told.yaml', '-i', 'passwords.yaml', ...password])).code).toBe(2);
  folder.write('went', '');
  expect((await folder.run(['resume', 'last', ...password])).code).toBe(0);
  const runs = join(folder.dir, '.reeve/runs');
  const last = join(runs, readdirSync(runs).sort().at(-1)!);
  const files = readdirSync(last, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('\n');
  expect(texts).toContain('echo ******** ********');
  expect(texts).not.toMatch(/one-of-the-inventory|one-by-hand/);
  // Nor does a refusal show what it was and is.
  folder.write('passwords.yaml', inventory('another-of-the-inventory'));
  const refused = await folder.run(['rollback', 'last', '--yes', ...password]);
  expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('only secrets in it differ')]);
  expect(refused.stderr).not.toMatch(/of-the-inventory/);
});

it('a member of an input that is secret is nowhere in the journal, and must be given again', async () => {
  folder.write('inventory.yaml', LOCAL_INVENTORY);
  folder.write('member.yaml', {
    inputs: {
      env: {
        type: 'object',
        default: {},
        properties: { TOKEN: { type: 'string', secret: true }, PIN: { type: 'string', secret: true } },
        additionalProperties: { type: 'string' },
      },
    },
    plays: [
      {
        hosts: 'here',
        tasks: [
          { debug: 'with {{ inputs.env.TOKEN }} at {{ inputs.env.MIRROR }}' },
          { command: { cmd: 'test -e member', chdir: folder.dir } },
        ],
      },
    ],
  });
  const env = '{ TOKEN: much-too-secret, PIN: "4711", MIRROR: https://mirror.example }';
  const given = ['run', 'member.yaml', '-i', 'inventory.yaml', '--runs', 'member-runs', '-e', `env=${env}`];
  const failed = await folder.run(given);
  expect([failed.code, failed.stdout]).toEqual([2, expect.stringContaining('at https://mirror.example')]);
  const written = readdirSync(join(folder.dir, 'member-runs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
  expect(written).toContain('https://mirror.example');
  expect(failed.stdout + written).not.toMatch(/much-too-secret|PIN[^\n]*4711/);
  folder.write('member', '');
  const refused = await folder.run(['resume', 'last', '--runs', 'member-runs']);
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('env must be given again')]);
  expect((await folder.run(['resume', 'last', '--runs', 'member-runs', '-e', `env=${env}`])).code).toBe(0);
});

it('what is handed to an argument that is secret by its nature is masked from the first line on, wherever it stands', async () => {
  const http = (token: string) => ({ http: { url: 'http://127.0.0.1:9/', token }, ignore_errors: true });
  folder.write('nature.yaml', {
    reeve: 1,
    all: { hosts: { here: { transport: 'local', listed: 'planted-in-inventory' } } },
  });
  folder.write('tokens.yaml', {
    inputs: { usual: { type: 'string', default: 'planted-as-default' } },
    vars: { written: 'planted-in-vars', alias: '{{ given }}' },
    plays: [
      {
        hosts: 'here',
        tasks: [
          { command: 'echo {{ given }} {{ written }} {{ listed }} {{ inputs.usual }}' },
          ...['{{ alias }}', '{{ vars.written }}', '{{ listed }}', '{{ inputs.usual }}', 'planted-as-text'].map(http),
        ],
      },
      { hosts: 'here', tasks: [{ command: { cmd: 'test -e gone', chdir: folder.dir } }] },
    ],
  });
  const run = await folder.run(['run', 'tokens.yaml', '-i', 'nature.yaml', '-e', 'given=planted-by-hand']);
  expect([run.code, run.stdout]).toEqual([2, expect.stringContaining('run echo ******** ******** ******** ********')]);
  const runs = join(folder.dir, '.reeve/runs');
  const last = join(runs, readdirSync(runs).sort().at(-1)!);
  const files = readdirSync(last, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join('\n');
  expect(texts.match(/planted-[a-z-]+/g)).toBe(null);
  // What was given must be given again; what stands in the playbook need not be.
  folder.write('gone', '');
  const refused = await folder.run(['resume', 'last']);
  expect([refused.code, refused.stderr]).toEqual([
    5,
    expect.stringContaining('not recorded: given must be given again'),
  ]);
  expect((await folder.run(['resume', 'last', '-e', 'given=planted-by-hand'])).code).toBe(0);
});
