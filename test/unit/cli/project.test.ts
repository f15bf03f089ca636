import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CliFolder, LOCAL_INVENTORY } from '../../support/cli.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());

describe('init', () => {
  it('makes a project that validates, has a check that writes nothing, and runs', async () => {
    expect(await folder.run(['init', 'mine'])).toMatchObject({ code: 0 });
    const inside = ['-i', 'mine/inventory'];
    const file = 'mine/playbooks/hello.yaml';
    expect(await folder.run(['validate', file, ...inside])).toEqual({
      code: 0,
      stdout: '1 file is valid\n',
      stderr: '',
    });
    const notes = join(folder.dir, 'notes');
    folder.write('notes/.keep', '');
    const options = [file, ...inside, '-e', `folder=${notes}`];
    expect(await folder.run(['run', ...options, '--check', '--diff'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('+managed by reeve'),
    });
    expect(readdirSync(notes)).toEqual(['.keep']);
    expect(await folder.run(['run', ...options])).toMatchObject({ code: 0 });
    expect(readFileSync(join(notes, 'reeve-hello'), 'utf8')).toBe('managed by reeve\n');
    expect((await folder.run(['run', ...options])).stdout).toContain('changed=0');
  });

  it('says why a folder cannot be made', async () => {
    folder.write('file', '');
    for (const path of ['file', '/proc/reeve-nowhere']) {
      const { code, stderr } = await folder.run(['init', path]);
      expect(stderr).toContain(`error: ${path}/inventory/hosts.yaml cannot be written`);
      expect(code).toBe(5);
    }
  });

  it('the next command can be copied, whatever the folder is called', async () => {
    expect((await folder.run(['init', 'our machines'])).stdout).toContain("cd 'our machines' && reeve run");
  });

  it('overwrites nothing', async () => {
    folder.write('taken/README.md', 'mine');
    const { code, stderr } = await folder.run(['init', 'taken']);
    expect(stderr).toContain('taken/README.md');
    expect(code).toBe(5);
    expect(readdirSync(join(folder.dir, 'taken'))).toEqual(['README.md']);
  });
});

describe('validate', () => {
  it('shows all mistakes of all files at once with their lines', async () => {
    const good = folder.write('good.yaml', { plays: [{ hosts: 'all', tasks: [{ debug: 'x' }] }] });
    const one = folder.write('one.yaml', 'plays:\n  - hosts: all\n    tasks:\n      - debg: x\n');
    const two = folder.write('two.yaml', 'plays:\n  - hosts: all\n    taks: []\n');
    const inventory = folder.write('inventory.yaml', LOCAL_INVENTORY);
    const { code, stdout, stderr } = await folder.run(['validate', good, one, two, '-i', inventory]);
    expect(code).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/one\.yaml:4:9: error: /);
    expect(stderr).toContain('did you mean `debug`?');
    expect(stderr).toMatch(/two\.yaml:3:5: error: /);
    expect(stderr).toContain('3 |     taks: []');
    expect(stderr).toContain('2 errors in 3 files');
  });

  it('warns without an inventory where only an inventory could tell', async () => {
    const file = folder.write('vars.yaml', { plays: [{ hosts: 'all', tasks: [{ debug: '{{ colour }}' }] }] });
    const { code, stdout, stderr } = await folder.run(['validate', file]);
    expect(stderr).toContain('warning: `colour` is not defined here');
    expect(stdout).toBe('1 file is valid\n');
    expect(code).toBe(0);
  });
});

describe('looking things up', () => {
  it('inventory says which hosts there are, and which one was meant', async () => {
    const file = folder.write('hosts.yaml', {
      reeve: 1,
      all: { children: { web: { hosts: { 'web-1': { port: 80 } } } } },
    });
    expect((await folder.run(['inventory', '-i', file, '--graph'])).stdout).toContain('web-1');
    expect(JSON.parse((await folder.run(['inventory', '-i', file, '--host', 'web-1'])).stdout)).toMatchObject({
      port: 80,
    });
    const { code, stderr } = await folder.run(['inventory', '-i', file, '--host', 'wbe-1']);
    expect(stderr).toContain('did you mean web-1?');
    expect(code).toBe(4);
  });

  it('modules and docs know every module', async () => {
    const listed = JSON.parse((await folder.run(['modules', '--json'])).stdout) as { name: string }[];
    expect(listed.map(({ name }) => name)).toContain('copy');
    expect((await folder.run(['docs', 'copy'])).stdout).toContain('dest');
    expect((await folder.run(['docs', 'serial'])).stdout).toContain('serial (play)');
  });
});
