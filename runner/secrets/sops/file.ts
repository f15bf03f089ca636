import { parseDocument } from '../../load/parse.ts';
import { readText } from '../../load/read-text.ts';
import { secretProblem, wholeFile } from '../problem.ts';
import { newDataKey, unwrapDataKey, wrapDataKey } from './data-key.ts';
import { ageIdentities } from './identities.ts';
import { readMetadata, type SopsMetadata, type SopsRules } from './metadata.ts';
import { metadataOf, SOPS_KEY } from './open.ts';
import { formatOf } from './print.ts';
import { decryptToText, encryptText, newMetadata, type PlainSops } from './write.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A SOPS file, decrypted and verified. */
export interface SopsFile extends PlainSops {
  file: string;
  key: Buffer;
  metadata: SopsMetadata;
  /** All that stands under `sops`. */
  raw: Record<string, unknown>;
}

/** @throws InvalidError when it is no SOPS file, none of our keys opens it, or it was changed. */
export async function readSopsFile(file: string, environment: Environment): Promise<SopsFile> {
  const text = readText(file);
  if (text.startsWith('$ANSIBLE_VAULT;')) {
    const message = 'this file is encrypted by ansible-vault, not by SOPS';
    const hint = 'change it with ansible-vault edit or rekey; reeve secret decrypt shows it';
    throw secretProblem('sops-plain', message, wholeFile(file), hint);
  }
  const document = parseDocument(text, file, { tags: KEPT_TAGS });
  const { value } = document;
  if (value === null || typeof value !== 'object' || !(SOPS_KEY in value)) {
    throw secretProblem(
      'sops-plain',
      'this file is not encrypted by SOPS',
      wholeFile(file),
      'encrypt it with: reeve secret encrypt',
    );
  }
  const raw = metadataOf(value);
  const place = document.place([SOPS_KEY], 'key');
  const metadata = readMetadata(raw, place);
  const key = await unwrapDataKey(metadata, ageIdentities(environment), place);
  return { file, key, metadata, raw, ...decryptToText(text, metadata, key, wholeFile(file), formatOf(file)) };
}

/** Tags stay where nothing is encrypted. */
const KEPT_TAGS = { '!vault': (text: string) => text, '!secret': (text: string) => text };

/** A new SOPS file's text. @throws InvalidError when there is no recipient, or for what SOPS cannot keep. */
export async function newSopsText(
  text: string,
  file: string,
  recipients: readonly string[],
  rules: SopsRules,
): Promise<string> {
  const place = wholeFile(file);
  if (recipients.length === 0) {
    const hint = 'give --age RECIPIENT, SOPS_AGE_RECIPIENTS, or a rule in .sops.yaml';
    throw secretProblem('sops-no-recipient', 'nobody is named that this is to be encrypted for', place, hint);
  }
  const key = newDataKey();
  const metadata = newMetadata(await wrapDataKey(key, recipients, place), rules);
  return encryptText(text, { key, rules, metadata, format: formatOf(file), place });
}

/** The text of a SOPS file with other content, for the same people; values that did not change stay as they are. */
export function changedSopsText(opened: SopsFile, text: string): string {
  const { key, metadata, raw, encrypted, file } = opened;
  return encryptText(text, {
    key,
    rules: metadata,
    metadata: raw,
    encrypted,
    format: formatOf(file),
    place: wholeFile(file),
  });
}

/**
 * The text of a SOPS file with a new data key, for `recipients`: who is left out cannot open it with what he kept.
 * @throws InvalidError when it also has keys of other kinds, which would be locked out.
 */
export async function rekeyedSopsText(opened: SopsFile, recipients: readonly string[]): Promise<string> {
  const others = ['pgp', 'kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'hckms'].filter((name) => {
    const keys = opened.raw[name];
    return Array.isArray(keys) && keys.length > 0;
  });
  if (others.length > 0) {
    const message = `this file also has keys of other kinds (${others.join(', ')}), which reeve cannot renew`;
    throw secretProblem('sops-other-keys', message, wholeFile(opened.file), 'renew it with: sops rotate -i');
  }
  return newSopsText(opened.text, opened.file, recipients, opened.metadata);
}
