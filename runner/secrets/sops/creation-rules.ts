import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Place } from '../../errors.ts';
import { isMapping } from '../../language/access.ts';
import { loadDocument } from '../../load/parse.ts';
import { secretProblem } from '../problem.ts';
import { readRules, type SopsRules } from './metadata.ts';

export const CONFIG_NAME = '.sops.yaml';
/** What sops leaves in clear when nothing else is said. */
const DEFAULT_RULES: SopsRules = { unencrypted_suffix: '_unencrypted' };
const OTHER_KEYS = ['pgp', 'kms', 'gcp_kms', 'azure_keyvault', 'hc_vault_transit_uri'];

/** For whom a new file is encrypted, and which of its values. */
export interface Creation {
  recipients: string[];
  rules: SopsRules;
}

/**
 * What the first fitting rule of the nearest `.sops.yaml` above `file` says; nothing fitting gives the defaults and nobody.
 * @throws InvalidError for rules that ask for keys reeve does not have.
 */
export function creationFor(file: string): Creation {
  const config = findConfig(dirname(resolve(file)));
  if (config === undefined) return { recipients: [], rules: DEFAULT_RULES };
  const document = loadDocument(config);
  const rules = (document.value as { creation_rules?: unknown }).creation_rules;
  if (!Array.isArray(rules)) return { recipients: [], rules: DEFAULT_RULES };
  const name = relative(dirname(config), resolve(file));
  const index = rules.findIndex((rule, at) => fits(rule, name, document.place(['creation_rules', at])));
  if (index < 0) {
    const message = `no rule of this file fits ${name}`;
    throw secretProblem('sops-no-rule', message, document.place(['creation_rules'], 'key'), 'add one, or give --age');
  }
  const rule = rules[index] as Record<string, unknown>;
  const place = document.place(['creation_rules', index]);
  const found = readRules(rule, place);
  const isDefault = Object.keys(found).every((key) => key === 'mac_only_encrypted');
  return { recipients: recipientsOf(rule, place), rules: isDefault ? { ...DEFAULT_RULES, ...found } : found };
}

function findConfig(folder: string): string | undefined {
  const path = join(folder, CONFIG_NAME);
  if (existsSync(path)) return path;
  return dirname(folder) === folder ? undefined : findConfig(dirname(folder));
}

function fits(rule: unknown, name: string, place: Place): boolean {
  if (!isMapping(rule)) throw secretProblem('sops-rule', 'a rule takes a mapping', place);
  const { path_regex: pattern } = rule;
  if (pattern === undefined) return true;
  if (typeof pattern !== 'string') throw secretProblem('sops-rule', '`path_regex` must be text', place);
  try {
    return new RegExp(pattern).test(name);
  } catch {
    throw secretProblem('sops-rule', `/${pattern}/ is no regular expression that reeve understands`, place);
  }
}

function recipientsOf(rule: Record<string, unknown>, place: Parameters<typeof secretProblem>[2]): string[] {
  const groups = rule.key_groups;
  const keys = Array.isArray(groups) && groups.length === 1 ? (groups[0] as Record<string, unknown>) : rule;
  const others = OTHER_KEYS.filter((name) => keys[name] !== undefined && keys[name] !== '');
  if ((Array.isArray(groups) && groups.length > 1) || others.length > 0) {
    const message = 'this rule asks for keys that reeve cannot encrypt for; it knows age';
    throw secretProblem('sops-rule', message, place, 'encrypt with sops, or give --age');
  }
  return splitRecipients(keys.age);
}

/** A list, or one text with commas. */
export function splitRecipients(value: unknown): string[] {
  const texts = Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  return texts.flatMap((text) => text.split(',').map((one) => one.trim())).filter((one) => one !== '');
}
