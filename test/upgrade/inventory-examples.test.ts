import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { modules } from '../../modules/index.ts';
import { ENGINE_VARIABLES } from '../../runner/cli/engine-variables.ts';
import { loadInventory } from '../../runner/inventory/load.ts';
import { runValidate } from '../../runner/validate/run-validate.ts';
import { PLAYBOOK } from './support/run-upgrade.ts';

const FOLDER = fileURLToPath(new URL('../../inventory/', import.meta.url));
const EXAMPLES = readdirSync(FOLDER).filter((name) => name !== 'README.md');

const load = (name: string) => loadInventory([`${FOLDER}${name}`]);

describe('the inventories that users begin with', () => {
  it('are the ones the README there names', () => {
    expect(EXAMPLES.toSorted()).toEqual([
      'development',
      'production',
      'proxmox-cluster.yaml',
      'ssh-cluster.yaml',
      'staging',
    ]);
  });

  it.each(EXAMPLES)('%s: the upgrade validates with it, without a warning', (name) => {
    const { diagnostics, exitCode } = runValidate({
      files: [PLAYBOOK],
      registry: modules,
      inventory: () => load(name),
      engineVariables: ENGINE_VARIABLES,
    });
    expect([diagnostics, exitCode]).toEqual([[], 0]);
  });

  it('finds a mistake in one', () => {
    const { exitCode } = runValidate({
      files: [PLAYBOOK],
      registry: modules,
      inventory: () => loadInventory(['somewhere,']),
      engineVariables: ENGINE_VARIABLES,
    });
    expect(exitCode).toBe(4);
  });

  it('mixes containers and machines reached by SSH in one cluster', () => {
    const inventory = load('proxmox-cluster.yaml');
    expect(inventory.hostsOf('agents')).toEqual(['k3s-agent-1', 'k3s-agent-2', 'k3s-agent-3']);
    expect(inventory.match('agents:!containers')).toEqual(['k3s-agent-3']);
  });

  it('has environments with groups in groups and ranges of hosts', () => {
    const inventory = load('production');
    expect(inventory.hostsOf('servers')).toHaveLength(3);
    expect(inventory.match('agents:&storage')).toEqual(inventory.hostsOf('storage'));
  });
});
