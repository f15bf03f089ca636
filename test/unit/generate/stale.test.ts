import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import { generatedFiles, registryFile } from '../../../runner/generate/files.ts';

const ROOT = join(import.meta.dirname, '../../..');
const files = [registryFile(ROOT), ...generatedFiles(modules)];

describe('generated files are up to date (else: npm run generate)', () => {
  it.each(files)('%s', (path, content) => {
    expect(existsSync(join(ROOT, path)), `${path} is missing`).toBe(true);
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(content);
  });
});

describe('pages', () => {
  it('of modules name every argument, example and fact', () => {
    const pages = generatedFiles(modules);
    for (const module of modules.values()) {
      const page = pages.get(`docs/modules/${module.name}.md`)!;
      for (const name of Object.keys(module.args.properties)) expect(page).toContain(`\`${name}\``);
      for (const name of Object.keys(module.returns.properties)) expect(page).toContain(`\`${name}\``);
      for (const { title } of module.examples) expect(page).toContain(title);
    }
  });
});
