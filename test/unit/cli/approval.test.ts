import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { approvalOf, requireApproval } from '../../../runner/cli/approval.ts';
import { loadRun } from '../../../runner/cli/load-run.ts';
import { loadDocument } from '../../../runner/load/parse.ts';
import { faultsOf, folderWith } from '../inventory/support.ts';

const PLAYBOOK = `name: site
approval: '{{ inputs.environment }}'
inputs:
  environment: { type: string, default: production }
  password: { type: string, secret: true, default: '' }
plays:
  - hosts: all
    tasks:
      - copy: { src: motd, dest: /etc/motd }
`;
const FILES = { 'site.yaml': PLAYBOOK, hosts: '[web]\nw1 x=1\n', 'files/motd': 'hello\n' };

/** The approval of the playbook in a folder, with `-e` and `--limit` as given. */
async function approval(folder: string, extraVars: string[] = [], limit: string[] = []): Promise<string | undefined> {
  const loaded = await loadRun(() => loadDocument(join(folder, 'site.yaml')), {
    inventory: join(folder, 'hosts'),
    extraVars,
  });
  return approvalOf(loaded, { limit, tags: [], skipTags: [] });
}

it('is bound to files, inventory, inputs and options, and not to the folder', async () => {
  const folder = folderWith(FILES);
  const first = await approval(folder);
  expect(first).toMatch(/^production:[0-9a-f]{16}$/);
  expect(await approval(folderWith(FILES))).toBe(first);
  expect(await approval(folder, [], ['w1'])).not.toBe(first);
  expect(await approval(folder, ['environment=staging'])).toMatch(/^staging:/);
  for (const [name, text] of [
    ['files/motd', 'other\n'],
    ['hosts', '[web]\nw1 x=2\n'],
    ['site.yaml', `${PLAYBOOK}# x\n`],
  ] as const) {
    expect(await approval(folderWith({ ...FILES, [name]: text })), name).not.toBe(first);
  }
});

it('holds no secret, and is not needed where its name is empty', async () => {
  const folder = folderWith(FILES);
  expect(await approval(folder, ['password=one'])).toBe(await approval(folder, ['password=two']));
  expect(await approval(folder, ['environment='])).toBeUndefined();
  writeFileSync(join(folder, 'site.yaml'), PLAYBOOK.replace(/approval.*\n/, ''));
  expect(await approval(folder)).toBeUndefined();
});

it('tells a missing approval from one of another plan', () => {
  requireApproval('production:aa', 'production:aa');
  expect(faultsOf(() => requireApproval('production:aa', undefined))[0]?.code).toBe('approval-missing');
  expect(faultsOf(() => requireApproval('production:aa', 'staging:aa'))[0]?.code).toBe('approval-missing');
  const [fault] = faultsOf(() => requireApproval('production:aa', 'production:bb'));
  expect(fault).toMatchObject({ code: 'approval-outdated', hint: expect.stringContaining('--approve production:aa') });
});
