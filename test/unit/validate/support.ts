import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Diagnostic } from '../../../runner/errors.ts';
import { loadInventory } from '../../../runner/inventory/load.ts';
import type { Inventory } from '../../../runner/inventory/model.ts';
import { parseDocument } from '../../../runner/load/parse.ts';
import { parsePlaybook } from '../../../runner/playbook/parse.ts';
import { type ValidateOptions, validatePlaybook } from '../../../runner/validate/validate-playbook.ts';
import { marked } from '../load/marked.ts';
import { testRegistry } from '../playbook/registry.ts';

const SITE = `reeve: 1
all:
  vars: { site: lab }
  children:
    servers: { hosts: { k3s-1: { ip: 10.0.0.1 }, k3s-2: { ip: 10.0.0.2 } } }
    agents: { hosts: { k3s-3: {} } }
`;

/** An inventory; by default two servers and an agent. `ip` is a variable of the servers, `site` one of all. */
export function testInventory(text: string = SITE): Inventory {
  const folder = mkdtempSync(join(tmpdir(), 'reeve-inventory-'));
  try {
    const file = join(folder, 'hosts.yaml');
    writeFileSync(file, text);
    return loadInventory([file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What validatePlaybook says about a playbook whose form is right. */
export function validate(text: string, inventory?: Inventory, options: ValidateOptions = {}): Diagnostic[] {
  const { playbook, diagnostics } = parsePlaybook(parseDocument(text, 'p.yaml'), testRegistry);
  expect(diagnostics).toEqual([]);
  return validatePlaybook(playbook!, inventory, testRegistry, options);
}

/** Checks that there is exactly one diagnostic, at the marks, with these words in message or hint. */
export function expectOne(source: string, code: string, words: string[], inventory?: Inventory): Diagnostic {
  const { text, ...place } = marked(source);
  const found = validate(text, inventory);
  expect(found.map((diagnostic) => `${diagnostic.code}: ${diagnostic.message}`)).toHaveLength(1);
  const hit = found[0]!;
  expect(hit.code).toBe(code);
  expect({ line: hit.place?.line, column: hit.place?.column }).toEqual({ line: place.line, column: place.column });
  for (const word of words) expect(`${hit.message} ${hit.hint}`).toContain(word);
  return hit;
}

/** A playbook of one play on all hosts with these tasks. */
export function withTasks(tasks: string): string {
  return `plays:\n  - hosts: all\n    tasks:\n${tasks.replaceAll(/^/gm, '      ')}\n`;
}
