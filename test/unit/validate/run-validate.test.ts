import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadInventory } from '../../../runner/inventory/load.ts';
import { formatDiagnostics } from '../../../runner/validate/format.ts';
import { runValidate } from '../../../runner/validate/run-validate.ts';
import { sourcesFromDisk } from '../../../runner/validate/sources.ts';
import { testRegistry } from '../playbook/registry.ts';
import { testInventory } from './support.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reeve-validate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

it('validates several files in one go and exits with 4', () => {
  const files = [
    file('good.yaml', 'plays: [{ hosts: servers, tasks: [{ debug: "{{ ip }}" }] }]\n'),
    file('broken.yaml', 'plays: [\n'),
    file('bad.yaml', 'plays:\n  - hosts: nobody\n    tasks: [{ servce: {} }]\n'),
    join(folder, 'missing.yaml'),
  ];
  const result = runValidate({ files, registry: testRegistry, inventory: testInventory() });
  expect(result.exitCode).toBe(4);
  expect(result.diagnostics.map(({ code, place }) => [place?.file.slice(folder.length + 1), code])).toEqual([
    ['broken.yaml', 'bad-indentation'],
    ['bad.yaml', 'unknown-host'],
    ['bad.yaml', 'unknown-module'],
    ['missing.yaml', 'file-not-found'],
  ]);
  expect(formatDiagnostics(result.diagnostics, sourcesFromDisk())).toContain('bad.yaml:2:12: error: there is no host');
});

it('errors of the inventory and of the playbook come in one go', () => {
  const files = [file('both.yaml', 'plays: [{ hosts: all, tasks: [{ servce: {} }, { debug: "{{ somewhere }}" }] }]\n')];
  const bad = file('hosts.yaml', 'reeve: 1\nall: { children: { a: { children: { a: {} } } } }\n');
  const { diagnostics, exitCode } = runValidate({
    files,
    registry: testRegistry,
    inventory: () => loadInventory([bad]),
  });
  expect(diagnostics.map(({ code }) => code)).toEqual(['group-cycle', 'unknown-module']);
  expect(exitCode).toBe(4);
  const missing = runValidate({
    files: [],
    registry: testRegistry,
    inventory: () => loadInventory(['/nowhere/hosts']),
  });
  expect(missing).toMatchObject({ diagnostics: [{ code: 'inventory-missing' }], exitCode: 4 });
});

it('warnings alone exit with 0', () => {
  const files = [file('warn.yaml', 'plays: [{ hosts: all, tasks: [{ debug: "{{ somewhere }}" }] }]\n')];
  const { diagnostics, exitCode } = runValidate({ files, registry: testRegistry });
  expect([diagnostics.length, diagnostics[0]?.severity, exitCode]).toEqual([1, 'warning', 0]);
});

it('validates a tasks file by itself, names left to whoever includes it', () => {
  const files = [file('tasks.yaml', '- debug: "{{ item }} {{ inputs.x }}"\n  notify: h\n- service: { nme: x }\n')];
  const { diagnostics } = runValidate({ files, registry: testRegistry, inventory: testInventory() });
  expect(diagnostics.map(({ code, place }) => `${place?.line} ${code}`)).toEqual([
    '3 missing-argument',
    '3 unknown-argument',
  ]);
});
