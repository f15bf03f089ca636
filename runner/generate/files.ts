import type { Registry } from '../playbook/registry.ts';
import { buildSchemas } from '../validate/schemas.ts';
import { helpersPage, keywordsPage } from './language-pages.ts';
import { moduleIndex, modulePage } from './module-page.ts';
import { registrySource } from './registry.ts';

/** Every generated file but the registry, by its path in the repository, with its content. */
export function generatedFiles(registry: Registry): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, schema] of Object.entries(buildSchemas(registry))) {
    files.set(`schemas/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  for (const module of registry.values()) files.set(`docs/modules/${module.name}.md`, modulePage(module));
  files.set('docs/modules/README.md', moduleIndex(registry));
  files.set('docs/keywords.md', keywordsPage());
  files.set('docs/helpers.md', helpersPage());
  return files;
}

/** The registry, which the other files are made from. */
export function registryFile(root: string): [path: string, content: string] {
  return ['modules/index.ts', registrySource(root)];
}
