import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runValidate } from '../../../runner/validate/run-validate.ts';
import { testRegistry } from '../playbook/registry.ts';
import { testInventory } from './support.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reeve-templates-'));
  mkdirSync(join(folder, 'templates'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What validate says about a playbook with one template task on the servers. */
function validate(template: string | undefined, src = 'motd.hbs', extraVars: string[] = []) {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, `plays:\n  - hosts: servers\n    tasks:\n      - template: { src: "${src}", dest: /etc/motd }\n`);
  if (template !== undefined) writeFileSync(join(folder, 'templates', 'motd.hbs'), template);
  const result = runValidate({ files: [file], registry: testRegistry, inventory: testInventory(), extraVars });
  return result.diagnostics.map(({ code, severity, place }) => ({
    code,
    severity,
    at: place && `${place.file.slice(folder.length + 1)}:${place.line}:${place.column}`,
  }));
}

describe('template files', () => {
  it('are found in templates/ and checked with the names of the task', () => {
    expect(validate('{{ host.name }} {{ ip }}\n')).toEqual([]);
    expect(validate('one\n  {{ typo }}\n')).toEqual([
      { code: 'undefined-variable', severity: 'error', at: 'templates/motd.hbs:2:6' },
    ]);
    expect(validate('one\n{{#if\n')).toMatchObject([{ severity: 'error', code: 'template-syntax' }]);
  });

  it('that are missing are warnings: a task may make them', () => {
    expect(validate(undefined, 'nothing.hbs')).toEqual([
      { code: 'source-missing', severity: 'warning', at: 'p.yaml:4:26' },
    ]);
  });

  it('use variables of -e; one that is not known yet may use any', () => {
    expect(validate('{{ greeting }}', 'motd.hbs', ['greeting'])).toEqual([]);
    expect(validate('hello', 'motd.hbs', ['greeting'])).toMatchObject([{ code: 'unused-extra-var' }]);
    expect(validate('hello', '{{ host.name }}.hbs', ['greeting'])).toEqual([]);
  });
});
