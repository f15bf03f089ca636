import { afterAll, beforeAll, expect, it } from 'vitest';
import { CliFolder, LOCAL_INVENTORY } from '../../support/cli.ts';

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
});

it('an input that an accepted change has taken away is no obstacle', async () => {
  folder.write(
    'shrunk.yaml',
    play({ word: { type: 'string', default: 'x' }, more: { type: 'string', default: 'y' } }, { fail: { msg: 'no' } }),
  );
  expect((await folder.run(['run', 'shrunk.yaml', '-i', 'inventory.yaml'])).code).toBe(2);
  folder.write('shrunk.yaml', play({ word: { type: 'string', default: 'x' } }));
  const { code, stderr } = await folder.run(['resume', 'last', '--accept-changes']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('what the playbook says outside of its plays')]);
});
