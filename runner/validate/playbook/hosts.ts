import type { Diagnostic } from '../../errors.ts';
import type { Inventory } from '../../inventory/model.ts';
import { didYouMean } from '../../language/nearest.ts';
import type { Compiled } from '../../language/types.ts';
import { diagnosticOf, inside, placeOf, type Spot, spotOf } from '../../playbook/context.ts';
import type { Play } from '../../playbook/model.ts';
import type { Subject } from './scopes.ts';
import { stepsOf } from './walk.ts';

const NO_NAMES = { get: () => undefined, has: () => false, names: () => [] };
const ALWAYS_THERE = new Set(['all', 'localhost', '*', '']);

/** The hosts of a pattern; all of them when it is not known yet or when it is wrong. */
export function hostsOfPattern(pattern: Compiled, inventory: Inventory | undefined): Iterable<string> {
  if (!inventory) return [];
  if (!pattern.isStatic) return inventory.hosts.keys();
  try {
    return inventory.match(String(pattern.render(NO_NAMES)));
  } catch {
    return inventory.hosts.keys();
  }
}

/** Reports names in literal patterns and in `delegate_to` that are neither host nor group of the inventory. */
export function checkHosts({ playbook, inventory }: Subject): Diagnostic[] {
  if (!inventory) return [];
  return playbook.plays.flatMap((play) => [...checkPattern(play, inventory), ...checkDelegates(play, inventory)]);
}

function checkPattern(play: Play, inventory: Inventory): Diagnostic[] {
  const at = inside(spotOf(play), 'hosts');
  const written = valueAt(at);
  const texts: [unknown, Spot][] = Array.isArray(written)
    ? written.map((text, index) => [text, inside(at, index)])
    : [[written, at]];
  const unknown = texts.flatMap(([text, spot]) => (typeof text === 'string' ? checkText(text, spot, inventory) : []));
  return unknown.length > 0 ? unknown : checkForm(play, at, inventory);
}

/** What the inventory itself says against a pattern whose names are all known: a wrong expression, a wrong range. */
function checkForm(play: Play, at: Spot, inventory: Inventory): Diagnostic[] {
  if (!play.hosts.isStatic) return [];
  const pattern = String(play.hosts.render(NO_NAMES));
  if (pattern === 'localhost') return [];
  try {
    inventory.match(pattern);
    return [];
  } catch (error) {
    return [{ ...diagnosticOf(error), place: placeOf(at) }];
  }
}

function checkText(text: string, spot: Spot, inventory: Inventory): Diagnostic[] {
  if (text.includes('{{')) return [];
  return literalNames(text)
    .filter(({ name }) => !ALWAYS_THERE.has(name) && !inventory.hosts.has(name) && !inventory.groups.has(name))
    .map(({ name, offset }) => ({
      code: 'unknown-host',
      severity: 'error',
      message: `there is no host or group \`${name}\` in the inventory`,
      place: withLength(spot.document.textPlace(spot.path).placeAt(offset), name.length),
      hint:
        didYouMean(name, [...inventory.groups.keys(), ...inventory.hosts.keys()]) ?? 'see `reeve inventory --graph`',
    }));
}

function withLength(place: { file: string; line: number; column: number }, length: number) {
  return { ...place, endColumn: place.column + length };
}

/** The plain names in a host pattern, with their offsets; globs, `~regex` and addresses with colons are left out. */
export function literalNames(pattern: string): { name: string; offset: number }[] {
  if (pattern.includes('::')) return [];
  const names: { name: string; offset: number }[] = [];
  for (const match of pattern.matchAll(/(?:[^:,[]|\[[^\]]*\])+/g)) {
    const lead = /^\s*[&!]?\s*/.exec(match[0])?.[0].length ?? 0;
    const name = match[0]
      .slice(lead)
      .replace(/\[[-\d:]*\]\s*$/, '')
      .trimEnd();
    if (name.startsWith('~')) return names;
    if (!/[*?[\]]/.test(name)) names.push({ name, offset: match.index + lead });
  }
  return names;
}

function checkDelegates(play: Play, inventory: Inventory): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const step of stepsOf(play)) {
    if (!step.delegateTo?.isStatic) continue;
    const name = String(step.delegateTo.render(NO_NAMES));
    if (name === 'localhost' || name === '127.0.0.1' || inventory.hosts.has(name)) continue;
    const { document, path } = inside(spotOf(step), 'delegate_to');
    found.push({
      code: 'unknown-host',
      severity: 'error',
      message: `there is no host \`${name}\` in the inventory`,
      place: document.place(path),
      hint: didYouMean(name, inventory.hosts.keys()) ?? '`delegate_to: localhost` is the control machine',
    });
  }
  return found;
}

function valueAt({ document, path }: Spot): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<string | number, unknown> | undefined)?.[step],
    document.value,
  );
}
