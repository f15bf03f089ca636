import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CliFolder, LOCAL_INVENTORY } from '../../support/cli.ts';
import { SOURCE } from '../../support/program.ts';

const folder = new CliFolder({ main: SOURCE });
afterAll(() => folder[Symbol.dispose]());

/** Packages that a command loads, as V8 saw it: what is not loaded takes no time. */
async function packagesLoadedBy(name: string, args: string[]): Promise<string[]> {
  const dir = join(folder.dir, `coverage-${name}`);
  expect(await folder.run(args, { NODE_V8_COVERAGE: dir })).toMatchObject({ code: 0 });
  const urls = readdirSync(dir).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  expect(urls.some((url) => url.endsWith('/runner/cli/main.ts'))).toBe(true);
  const names = urls.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]);
  return [...new Set(names.filter((found) => found !== undefined))];
}

describe('what is loaded', () => {
  it('nothing for --version and --help', async () => {
    expect(await packagesLoadedBy('version', ['--version'])).toEqual([]);
    expect(await packagesLoadedBy('help', ['run', '--help'])).toEqual([]);
  });

  it('no SSH, no Kubernetes client, no tree for a local run without a terminal', async () => {
    const inventory = folder.write('inventory.yaml', LOCAL_INVENTORY);
    const file = folder.write('noop.yaml', { plays: [{ hosts: 'all', tasks: [{ stat: { path: '/' } }] }] });
    const loaded = await packagesLoadedBy('run', ['run', file, '-i', inventory]);
    expect(loaded).toContain('yaml');
    for (const name of ['node-ssh', 'ssh2', '@kubernetes/client-node', 'listr2', 'log-update']) {
      expect(loaded).not.toContain(name);
    }
  });
});
