import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { explain } from '../../../runner/cli/commands/explain.ts';
import { folderWith } from '../inventory/support.ts';

afterEach(() => vi.restoreAllMocks());

/** What the command prints for an inventory in which `port` has many places. */
async function printed(name: string, options: Record<string, unknown>): Promise<string> {
  const folder = folderWith({
    hosts: '[web]\nw1 port=8081\nw2\nw3\n[db]\nd1 ansible_password=sesame\n[all:vars]\nport=80\n',
    'group_vars/web.yml': 'port: 8080\n',
    'site.yaml':
      'vars: { port: 9000 }\nplays: [{ hosts: db, vars: { port: 9001 }, tasks: [{ debug: "{{ port }}" }] }]\n',
  });
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => lines.push(text));
  const playbook = options.playbook ? { playbook: join(folder, 'site.yaml') } : {};
  await explain(name, { ...options, inventory: join(folder, 'hosts'), ...playbook });
  return lines.join('\n').replaceAll(`${folder}/`, '');
}

it('lists every place, the weakest first, and marks the one that counts; hosts that agree are one case', async () => {
  const text = await printed('port', {});
  expect(text).toContain(
    'port on w2, w3 = 8080\n    group all       hosts:8:1               80\n  → group_vars web  group_vars/web.yml:1:1  8080',
  );
  expect(text).toContain('port on w1 = 8081');
  expect(text).toContain('port on d1 = 80');
});

it('knows what a playbook and -e say', async () => {
  const text = await printed('port', { host: 'd1', playbook: true });
  expect(text.split('\n').map((line) => line.trim().split(/ {2,}/)[0])).toEqual(
    ['port on d1 = 9001', 'group all', 'vars of the playbook', '→ vars of the play'].map((text) =>
      expect.stringContaining(text),
    ),
  );
  expect(await printed('port', { host: 'd1', extraVars: 'port=1' })).toContain('→ -e');
});

it('shows no password, and names what was meant', async () => {
  const text = await printed('ansible_password', {});
  expect(text).toContain('(secret)');
  expect(text).not.toContain('sesame');
  await expect(printed('prot', {})).rejects.toMatchObject({ hint: 'did you mean port?' });
});
