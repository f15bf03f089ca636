import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import { BUNDLED } from './runner/generate/bundled.ts';

/*
 * The published program in few files: Node takes about half a millisecond of CPU to find and link each module, and a run
 * loads some six hundred. Measured with a run that does nothing: 0.27 s of CPU from one file a module, 0.16 s from these.
 * Minified it would be 0.15 s: not worth stack traces that nobody can read.
 */

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
/** Packages that are installed beside the program. */
const beside = Object.keys(dependencies).filter((name) => !BUNDLED.includes(name));

const HTML = 'runner/report/html';

/** What is read at run time beside the module that reads it, and the licences of the packages that are inside. */
const companions: Plugin = {
  name: 'companions',
  generateBundle(_options, bundle) {
    this.emitFile({ type: 'asset', fileName: `${HTML}/page.js`, source: readFileSync(`${HTML}/page.js`, 'utf8') });
    const ids = Object.values(bundle).flatMap((one) => (one.type === 'chunk' ? one.moduleIds : []));
    const folders = new Set(ids.map((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? ''));
    folders.delete('');
    this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: [...folders].sort().map(licence).join('\n') });
  },
};

function licence(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8') : ''}\n`;
}

export default defineConfig({
  input: {
    'runner/cli/main': 'runner/cli/main.ts',
    'runner/module': 'runner/module.ts',
    // Reads its page's script from beside itself.
    [`${HTML}/html`]: `${HTML}/html.ts`,
  },
  platform: 'node',
  external: beside,
  // Only its kubeconfig is wanted, not the classes of every kind of object: a process that asks a cluster loads it with 0.25
  // instead of 1.1 s of CPU.
  treeshake: { moduleSideEffects: [{ test: /@kubernetes\/client-node/, sideEffects: false }] },
  plugins: [companions],
  // A module that one command loads late and another at once is as it should be.
  checks: { ineffectiveDynamicImport: false },
  output: { dir: 'dist', cleanDir: true, chunkFileNames: 'chunks/[name]-[hash].js' },
});
