import type { Place } from '../../errors.ts';
import { secretProblem } from '../problem.ts';

/** What SOPS keeps under the key `sops`, as far as reeve reads it. The names are those of the file. */
export interface SopsMetadata extends SopsRules {
  age: { recipient: string; enc: string }[];
  lastmodified: string;
  mac: string;
}

/** Which values of a file are encrypted; at most one of them is set. */
export interface SopsRules {
  unencrypted_suffix?: string;
  encrypted_suffix?: string;
  unencrypted_regex?: string;
  encrypted_regex?: string;
  unencrypted_comment_regex?: string;
  encrypted_comment_regex?: string;
  mac_only_encrypted?: boolean;
}

export const RULE_NAMES = [
  'unencrypted_suffix',
  'encrypted_suffix',
  'unencrypted_regex',
  'encrypted_regex',
  'unencrypted_comment_regex',
  'encrypted_comment_regex',
] as const;

/** How key services are called by people. */
const OTHER_KEYS: Record<string, string> = {
  pgp: 'PGP',
  kms: 'AWS KMS',
  gcp_kms: 'Google Cloud KMS',
  azure_kv: 'Azure Key Vault',
  hc_vault: 'HashiCorp Vault',
  hckms: 'HuaweiCloud KMS',
};

/** @throws InvalidError for what is missing, and for keys that reeve cannot use. */
export function readMetadata(sops: Record<string, unknown>, place: Place): SopsMetadata {
  if (Array.isArray(sops.key_groups) && sops.key_groups.length > 0) {
    const message =
      'this SOPS file splits its key among key groups (Shamir); reeve reads files whose every key opens them';
    throw secretProblem(
      'sops-key-groups',
      message,
      place,
      'decrypt it with sops, or write it again without key_groups',
    );
  }
  const age = readRecipients(sops.age, place);
  if (age.length === 0) {
    const others = Object.keys(OTHER_KEYS).filter((name) => Array.isArray(sops[name]) && sops[name].length > 0);
    const named = others.map((name) => OTHER_KEYS[name]).join(', ');
    const message = `this SOPS file can only be opened with keys that reeve does not have a way to (${named || 'none named'})`;
    throw secretProblem('sops-no-age', message, place, 'add an age recipient: sops rotate -i --add-age RECIPIENT FILE');
  }
  const { mac, lastmodified } = sops;
  if (typeof mac !== 'string' || mac === '' || typeof lastmodified !== 'string') {
    throw secretProblem('sops-no-mac', 'this SOPS file has no MAC: nothing tells whether it was changed', place);
  }
  return { age, mac, lastmodified, ...readRules(sops, place) };
}

/** @throws InvalidError when a rule is no text. */
export function readRules(from: Record<string, unknown>, place: Place): SopsRules {
  const rules: SopsRules = {};
  for (const name of RULE_NAMES) {
    const value = from[name];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') throw secretProblem('sops-rule', `\`${name}\` must be text`, place);
    rules[name] = value;
  }
  if (from.mac_only_encrypted === true) rules.mac_only_encrypted = true;
  return rules;
}

function readRecipients(value: unknown, place: Place): SopsMetadata['age'] {
  if (value === undefined || value === null) return [];
  const valid = (item: unknown): item is SopsMetadata['age'][number] =>
    typeof (item as { recipient?: unknown } | null)?.recipient === 'string' &&
    typeof (item as { enc?: unknown }).enc === 'string';
  if (Array.isArray(value) && value.every(valid)) return value;
  throw secretProblem(
    'sops-damaged',
    '`sops.age` must be a list of recipients, each with `recipient` and `enc`',
    place,
  );
}
