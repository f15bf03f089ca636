import { parseDuration } from '../language/duration.ts';
import { UsageError } from './report-error.ts';

/** Flags as cac writes them (`-l, --limit <pattern>`), and a short sentence. */
export type OptionRow = readonly [flags: string, description: string];

/** Options that belong together, for the help. */
export interface OptionGroup {
  title: string;
  options: readonly OptionRow[];
}

/** One command: its file holds what it does, this holds what the command line knows of it. */
export interface CommandDefinition {
  /** `run <playbook>` */
  usage: string;
  /** One line. */
  description: string;
  /** What a person should know beyond that: some sentences. */
  details?: string;
  groups: readonly OptionGroup[];
  examples?: readonly string[];
  run(args: never[], options: Record<string, unknown>): Promise<number>;
}

/** `run` */
export function commandName({ usage }: CommandDefinition): string {
  return usage.split(' ', 1)[0]!;
}

export const INVENTORY_OPTION: OptionRow = [
  '-i, --inventory <source>',
  'Inventory file, directory, or hosts (`h1,h2,`); may be repeated; default: REEVE_INVENTORY, inventory.yaml, inventory/',
];

export const REFRESH_OPTION: OptionRow = [
  '--refresh-inventory',
  'Ask the plugins of the inventory anew, whatever they keep in their cache',
];

/** The values of an option that may be given several times, as texts. */
export function texts(value: unknown): string[] {
  if (value === undefined || value === false) return [];
  return (Array.isArray(value) ? value : [value]).map((item) => {
    if (item === true) throw new UsageError('an option that needs a value has none');
    return String(item);
  });
}

/** Values separated by commas, from an option that may be repeated. */
export function words(value: unknown): string[] {
  return texts(value)
    .flatMap((text) => text.split(',').map((word) => word.trim()))
    .filter((word) => word !== '');
}

/** One text, or undefined. */
export function text(value: unknown, name: string): string | undefined {
  const all = texts(value);
  if (all.length > 1) throw new UsageError(`${name} was given ${all.length} times`);
  return all[0];
}

/** A whole number of at least 1. */
export function count(value: unknown, name: string): number | undefined {
  const given = text(value, name);
  if (given === undefined) return undefined;
  const number = Number(given);
  if (!Number.isInteger(number) || number < 1)
    throw new UsageError(`${name} takes a whole number of at least 1, not ${given}`);
  return number;
}

/** A duration such as `10m`, in milliseconds. */
export function duration(given: string, name: string): number {
  try {
    return parseDuration(given);
  } catch (error) {
    throw new UsageError(`${name}: ${(error as Error).message}`);
  }
}

/** One of a few words, or undefined. */
export function oneOf<T extends string>(value: unknown, name: string, words: readonly T[]): T | undefined {
  const given = text(value, name);
  if (given === undefined) return undefined;
  const word = words.find((one) => one === given);
  if (word === undefined) throw new UsageError(`${name} ${given}: it can be ${words.join(', ')}`);
  return word;
}

const DEFAULT_INVENTORY = ['inventory.yaml', 'inventory.yml', 'inventory'];

/** The inventory that somebody named: `-i`, else REEVE_INVENTORY. */
export function givenInventory(value: unknown): string[] {
  const given = texts(value);
  if (given.length > 0) return given;
  return process.env.REEVE_INVENTORY ? [process.env.REEVE_INVENTORY] : [];
}

/** The inventory sources: what was named, else what lies here under a usual name. */
export async function inventorySources(value: unknown): Promise<string[]> {
  const given = givenInventory(value);
  if (given.length > 0) return given;
  const { existsSync } = await import('node:fs');
  const found = DEFAULT_INVENTORY.find((name) => existsSync(name));
  return found === undefined ? [] : [found];
}
