import { readFileSync } from 'node:fs';
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
