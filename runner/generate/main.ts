/** `npm run generate`: writes every generated file, and removes pages of modules that are gone. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Registry } from '../playbook/registry.ts';
import { generatedFiles, registryFile } from './files.ts';

const root = join(import.meta.dirname, '../..');

function write(path: string, content: string): void {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  process.stdout.write(`${path}\n`);
}

function removeStalePages(files: ReadonlyMap<string, string>): void {
  const folder = join(root, 'docs/modules');
  for (const page of existsSync(folder) ? readdirSync(folder) : []) {
    if (page.endsWith('.md') && !files.has(`docs/modules/${page}`)) rmSync(join(folder, page));
  }
}

const [registryPath, registryText] = registryFile(root);
write(registryPath, registryText);
// Only now: the registry that is loaded must be the one just written.
const { modules } = (await import(pathToFileURL(join(root, registryPath)).href)) as { modules: Registry };
const files = generatedFiles(modules);
for (const [path, content] of files) write(path, content);
removeStalePages(files);
