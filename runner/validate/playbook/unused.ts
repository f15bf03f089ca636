import type { Diagnostic } from '../../errors.ts';
import { overriddenDefinitions } from '../../inventory/builder.ts';
import type { Inventory } from '../../inventory/model.ts';
import type { Definition } from '../../language/types.ts';
import type { Definitions, Playbook } from '../../playbook/model.ts';
import { referencesOf } from './definition-references.ts';
import { hostsOfPattern } from './hosts.ts';
import { layersOfAll } from './inventory.ts';
import type { Mentions } from './mentions.ts';
import { inventoryNames } from './names.ts';
import { stepsOf } from './walk.ts';

/** Names inside Jinja text, which other variables of Ansible's dialect use. */
const WORD = /[A-Za-z_]\w*/g;

/**
 * Warns of variables of the inventory that no playbook, no other variable and not the engine uses, once for each name.
 * Nothing is said when a name may be made at run time.
 */
export function checkUnused(
  inventory: Inventory,
  mentions: Mentions,
  engineVariables: readonly string[],
): Diagnostic[] {
  const first = new Map<string, Definition>();
  for (const layer of layersOfAll(inventory)) {
    for (const [name, definition] of Object.entries(layer)) {
      for (const reference of referencesOf(definition)) mentions.add(reference);
      for (const word of jinjaWords(definition)) mentions.names.add(word);
      if (!first.has(name)) first.set(name, definition);
    }
  }
  if (!mentions.isComplete) return [];
  const engine = new Set(engineVariables);
  return [...first]
    .filter(([name]) => !mentions.names.has(name) && !engine.has(name) && !name.startsWith('ansible_'))
    .map(([name, definition]) => ({
      code: 'unused-variable',
      severity: 'warning',
      message: `the variable \`${name}\` is set and never used by these playbooks`,
      place: definition.where,
    }));
}

function jinjaWords(definition: Definition): string[] {
  if (!definition.isForeign) return [];
  const text = typeof definition.value === 'string' ? definition.value : (JSON.stringify(definition.value) ?? '');
  return text.includes('{{') || text.includes('{%') ? (text.match(WORD) ?? []) : [];
}

/**
 * Warns of variables of a playbook that hide one of the inventory, whose value then never counts, and of variables that
 * are set twice on one level of the inventory.
 */
export function checkShadowed(playbook: Playbook, inventory: Inventory): Diagnostic[] {
  const found: Diagnostic[] = [];
  const compare = (definitions: Definitions, hosts: Iterable<string>, what: string) => {
    if (Object.keys(definitions).length === 0) return;
    const names = inventoryNames(inventory, hosts);
    for (const [name, definition] of Object.entries(definitions)) {
      const hidden = Object.hasOwn(names, name) ? definitionOf(inventory, name) : undefined;
      if (hidden) found.push(shadow(name, definition, what, hidden));
    }
  };
  compare(playbook.vars, inventory.hosts.keys(), 'of the playbook');
  for (const play of playbook.plays) {
    const hosts = [...hostsOfPattern(play.hosts, inventory)];
    compare(play.vars, hosts, 'of the play');
    for (const step of stepsOf(play)) compare(step.vars, hosts, 'of the task');
  }
  return found;
}

function shadow(name: string, definition: Definition, what: string, hidden: Definition): Diagnostic {
  return {
    code: 'shadowed-variable',
    severity: 'warning',
    message: `the variable \`${name}\` ${what} hides the one of the inventory`,
    place: definition.where,
    related: [{ message: 'hidden', place: hidden.where }],
  };
}

function definitionOf(inventory: Inventory, name: string): Definition | undefined {
  for (const layer of layersOfAll(inventory)) if (Object.hasOwn(layer, name)) return layer[name];
  return undefined;
}

/** Warns of variables that two files or lines set on the same level: the later one counts, which may be an accident. */
export function checkSetTwice(inventory: Inventory): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const layer of layersOfAll(inventory)) {
    for (const [name, definition] of Object.entries(layer)) {
      const before = overriddenDefinitions(layer, name).at(-1);
      if (!before) continue;
      found.push({
        code: 'shadowed-variable',
        severity: 'warning',
        message: `the variable \`${name}\` is set twice on the same level; this one counts`,
        place: definition.where,
        related: [{ message: 'and here', place: before.where }],
      });
    }
  }
  return found;
}
