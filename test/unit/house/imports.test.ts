import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Source files below a folder, with what each imports: paths from the root, or package names. */
function sources(folder: string): { file: string; imports: string[] }[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join(ROOT, folder, name);
      const text = readFileSync(file, 'utf8');
      const statements = text.matchAll(
        /^(?:import|export)\b[^'"`;]*?\bfrom '([^'\n]+)'|^import '([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm,
      );
      const found = [...statements].map((match) => (match[1] ?? match[2] ?? match[3])!);
      const imports = found.map((name) => (name.startsWith('.') ? relative(ROOT, resolve(dirname(file), name)) : name));
      return { file: relative(ROOT, file), imports };
    });
}

/** Lines that break a rule, readable in the failure. */
function offences(folder: string, allowed: (imported: string, file: string) => boolean): string[] {
  return sources(folder).flatMap(({ file, imports }) =>
    imports.filter((imported) => !allowed(imported, file)).map((imported) => `${file} imports ${imported}`),
  );
}

const isPackage = (name: string) => !/^(runner|modules|test)\//.test(name);
const below =
  (...folders: string[]) =>
  (name: string) =>
    folders.some((folder) => name.startsWith(`runner/${folder}`));

describe('imports', () => {
  it('modules import the contract, shared helpers, and nothing that talks to the outside', () => {
    const harmless = /^(semver|diff|node:(path|crypto|buffer|util|zlib))$/;
    const found = offences('modules', (name, file) => {
      if (file === 'modules/index.ts') return true;
      return name === 'runner/module.ts' || name.startsWith('modules/shared/') || harmless.test(name);
    });
    expect(found).toEqual([]);
  });

  it('the contract leans on types and errors only', () => {
    const allowed = new Set(['runner/errors.ts', 'runner/schema-types.ts']);
    const found = sources('runner').find(({ file }) => file === 'runner/module.ts')!;
    expect(found.imports.filter((name) => !allowed.has(name))).toEqual([]);
  });

  // Each folder, and the folders of the runner that it may know. Files directly in runner/ are for everybody.
  const layers: Record<string, string[]> = {
    language: [],
    load: ['language'],
    connect: [],
    kube: [],
    validate: ['language', 'load', 'playbook', 'inventory'],
    playbook: ['language', 'load', 'validate/schema'],
    inventory: ['language', 'load', 'playbook/keywords.ts', 'validate/schema', 'kube/kubeconfig.ts'],
    journal: [],
    report: [],
    secrets: ['language', 'load'],
    execute: ['language', 'load', 'playbook', 'inventory', 'connect', 'journal', 'kube'],
  };

  it.each(Object.entries(layers))('%s knows only the layers before it', (folder, known) => {
    const direct = /^runner\/[a-z-]+\.ts$/;
    const found = offences(
      `runner/${folder}`,
      (name) => isPackage(name) || direct.test(name) || below(`${folder}/`, ...known)(name),
    );
    expect(found).toEqual([]);
  });

  it('only cli reads argv, writes to the terminal, or ends the process', () => {
    const folders = [
      'language',
      'load',
      'connect',
      'kube',
      'validate',
      'playbook',
      'inventory',
      'journal',
      'report',
      'secrets',
      'execute',
    ];
    const found = folders.flatMap((folder) =>
      sources(`runner/${folder}`).flatMap(({ file }) => {
        const text = readFileSync(join(ROOT, file), 'utf8').replace(/^\s*(\*|\/\/|\/\*).*$/gm, '');
        return /process\.(argv|exit\b|stdout|stderr)|console\./.test(text) ? [file] : [];
      }),
    );
    expect(found).toEqual([]);
  });
});
