import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CliFolder, LOCAL_INVENTORY } from '../../support/cli.ts';
import { reeveSync } from '../../support/reeve-sync.ts';
import { large } from '../../support/size.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());

const say = {
  name: 'say',
  debug: { msg: 'said {{ json inputs.word }} {{ json version }} {{ json nothing }} {{ json list }}' },
};
const play = (inputs: object, ...more: object[]) => ({
  inputs,
  plays: [{ hosts: 'here', tasks: [{ command: { cmd: 'test -e go', chdir: folder.dir } }, ...more] }],
});
beforeAll(() => {
  folder.write('inventory.yaml', LOCAL_INVENTORY);
  folder.write('given.yaml', { version: '1.30', nothing: null, list: ['007', true], word: '0123' });
});

it('what the run was given is what its resume is given, types and all, and what a resume was given is what the next one is', async () => {
  folder.write('play.yaml', play({ word: { default: 'x' }, gone: { type: 'string', default: 'y' } }, say));
  expect((await folder.run(['run', 'play.yaml', '-i', 'inventory.yaml', '-e', '@given.yaml'])).code).toBe(2);
  // Values of this resume are those of the next one.
  folder.write('later.yaml', { version: '1.40', word: 'true' });
  expect((await folder.run(['resume', 'last', '-e', '@later.yaml'])).code).toBe(2);
  folder.write('go', '');
  const { code, stdout } = await folder.run(['resume', 'last']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('said "true" "1.40" null ["007",true]')]);
  // The action log says so.
  const log = (await folder.run(['report', 'last'])).stdout;
  expect(log).toMatch(/- `version: "1\.30"` \(variable\)\n/);
  expect(log.match(/since the resume at/g)).toHaveLength(2);
  expect(log).toMatch(/- `version: "1\.40"` since the resume at \d\d:\d\d:\d\d UTC\n/);
});

it('an input that an accepted change has taken away is no obstacle', large, async () => {
  folder.write(
    'shrunk.yaml',
    play({ word: { type: 'string', default: 'x' }, more: { type: 'string', default: 'y' } }, { fail: { msg: 'no' } }),
  );
  expect((await folder.run(['run', 'shrunk.yaml', '-i', 'inventory.yaml'])).code).toBe(2);
  folder.write('shrunk.yaml', play({ word: { type: 'string', default: 'x' } }));
  const { code, stderr } = await folder.run(['resume', 'last', '--accept-changes']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('what the playbook says outside of its plays')]);
});

it('a run that was approved goes on as it was approved; another plan needs its own approval', async () => {
  const playbook = (text: string) => ({
    approval: 'production',
    ...play({ word: { default: 'x' } }, { debug: { msg: text } }),
  });
  rmSync(join(folder.dir, 'go'), { force: true });
  folder.write('approved.yaml', playbook('{{ inputs.word }}'));
  const args = ['run', 'approved.yaml', '-i', 'inventory.yaml', '--approve'];
  const approvalIn = (text: string) => /--approve (production:[0-9a-f]+)/.exec(text)?.[1] ?? '';
  const first = approvalIn((await folder.run(args.slice(0, -1))).stderr);
  expect((await folder.run([...args, first])).code).toBe(2);
  // The same plan: it only fails again.
  expect((await folder.run(['resume', 'last'])).code).toBe(2);
  const other = await folder.run(['resume', 'last', '-e', 'word=y']);
  expect([other.code, other.stderr]).toEqual([6, expect.stringContaining('needs the approval "production"')]);
  folder.write('go', '');
  folder.write('approved.yaml', playbook('changed'));
  const changed = await folder.run(['resume', 'last', '--accept-changes']);
  expect([changed.code, changed.stderr]).toEqual([6, expect.stringContaining('needs the approval "production"')]);
  const second = approvalIn(changed.stderr);
  expect((await folder.run(['resume', 'last', '--accept-changes', '--approve', second])).code).toBe(0);
});

it(
  'what `reeve exec` did is gone on with and taken back like any run, from wherever; not when its command line held a secret',
  large,
  async () => {
    rmSync(join(folder.dir, 'go'), { force: true });
    const exec = (...words: string[]) => folder.run(['exec', 'here', ...words, '-i', 'inventory.yaml']);
    expect((await exec('command', `test -e ${join(folder.dir, 'go')}`)).code).toBe(2);
    folder.write('go', '');
    expect((await folder.run(['resume', 'last'])).code).toBe(0);
    const path = join(folder.dir, 'made');
    expect((await exec('copy', `dest=${path}`, 'content=x')).code).toBe(0);
    expect((await folder.run(['rollback', 'last', '--yes'])).code).toBe(0);
    expect(existsSync(path)).toBe(false);
    expect((await exec('http', 'url=http://127.0.0.1:9/', 'token=planted-secret')).code).toBe(2);
    const refused = await folder.run(['resume', 'last']);
    expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('held a secret, and is not recorded')]);
  },
);

it(
  'a resume and a rollback from another folder do on this machine what they do in the folder of the run',
  large,
  async () => {
    const there = join(folder.dir, 'there');
    mkdirSync(there);
    folder.write('there/relative.yaml', {
      plays: [
        {
          hosts: 'here',
          tasks: [
            { shell: 'echo one >>log; test -e ready' },
            { shell: 'echo two >>log' },
            { copy: { dest: join(there, 'made'), content: 'x' } },
          ],
          rollback: [{ shell: 'echo back >>log' }],
        },
      ],
    });
    const from = (cwd: string, ...args: string[]) =>
      reeveSync([...args, '--runs', join(folder.dir, 'runs-there')], { cwd });
    expect(from(there, 'run', 'relative.yaml', '-i', '../inventory.yaml').status).toBe(2);
    folder.write('there/ready', '');
    expect(from(folder.dir, 'resume', 'last', '--report', 'reports').status).toBe(0);
    expect(existsSync(join(folder.dir, 'reports/report.html'))).toBe(true);
    expect(from(folder.dir, 'rollback', 'last', '--yes').status).toBe(0);
    expect(readFileSync(join(there, 'log'), 'utf8')).toBe('one\none\ntwo\nback\n');
  },
);
