import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReeveError } from '../../runner/errors.ts';
import type { Inventory } from '../../runner/inventory/model.ts';
import { hostVariables, inventoryGraph, inventoryList } from '../../runner/inventory/show.ts';
import { needs } from '../support/needs.ts';
import { Ansible, whatIsMissing } from './ansible.ts';
import { CORPUS } from './corpus.ts';
import { inventoryArguments, listedHosts, openCase, sourcesOf, writeCase } from './support.ts';

describe('Ansible itself', needs(whatIsMissing()), () => {
  let ansible: Ansible;
  beforeAll(() => {
    ansible = new Ansible();
  });
  afterAll(() => ansible.close());

  describe.each(CORPUS)('$name', (one) => {
    let folder: string;
    let sources: string[];
    let inventory: Inventory;

    beforeAll(async () => {
      folder = writeCase(one.files);
      sources = sourcesOf(one, folder);
      inventory = await openCase(sources, one.playbook && join(folder, one.playbook));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const ask = async (...argv: string[]) => {
      const beside = one.playbook ? ['--playbook-dir', join(folder, one.playbook)] : [];
      const answer = await ansible.ask(folder, 'ansible-inventory', ...inventoryArguments(sources), ...beside, ...argv);
      expect(answer.stderr).not.toMatch(/Unable to parse|Completely failed|ERROR/);
      expect(answer.code).toBe(0);
      return answer.stdout;
    };

    it('--list', async () => {
      expect(inventoryList(inventory)).toEqual(JSON.parse(await ask('--list')));
    });

    it('--list --export', async () => {
      expect(inventoryList(inventory, true)).toEqual(JSON.parse(await ask('--list', '--export')));
    });

    it('--graph', async () => {
      expect(`${inventoryGraph(inventory)}\n`).toBe(await ask('--graph'));
    });

    it('--host', async () => {
      for (const host of [...inventory.hosts.keys()].slice(0, 3)) {
        // The option takes a pattern, and a name with a bracket or a space is none.
        if (!/^[\w.-]+$/.test(host)) continue;
        expect(hostVariables(inventory, host)).toEqual(JSON.parse(await ask('--host', host)));
      }
    });

    if (one.patterns)
      it(`${one.patterns.length} patterns`, async () => {
        const ours: Record<string, string[]> = {};
        const theirs: Record<string, string[]> = {};
        for (const pattern of one.patterns ?? []) {
          // A name that begins with a dash would be an option.
          const answer = await ansible.ask(
            folder,
            'ansible',
            ...inventoryArguments(sources),
            '--list-hosts',
            '--',
            pattern,
          );
          const order = (hosts: string[]) => (one.anyOrder ? hosts.toSorted() : hosts);
          theirs[pattern] = order(listedHosts(answer.stdout));
          ours[pattern] = order(matched(inventory, pattern));
        }
        expect(ours).toEqual(theirs);
      });
  });

  /** Where nothing matches we give an error, and `ansible --list-hosts` an empty list. */
  function matched(inventory: Inventory, pattern: string): string[] {
    try {
      return inventory.match(pattern);
    } catch (error) {
      if (error instanceof ReeveError) return [];
      throw error;
    }
  }
});

it('is as large as it should be', () => {
  expect(CORPUS.length).toBeGreaterThanOrEqual(60);
  const patterns = CORPUS.flatMap((one) => one.patterns ?? []);
  expect(patterns.length).toBeGreaterThanOrEqual(200);
});
