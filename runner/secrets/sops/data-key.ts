import { randomBytes } from 'node:crypto';
import { armor, Decrypter, Encrypter } from 'age-encryption';
import type { Place } from '../../errors.ts';
import { secretProblem } from '../problem.ts';
import type { AgeIdentities } from './identities.ts';
import type { SopsMetadata } from './metadata.ts';

const KEY_BYTES = 32;

/** @throws InvalidError when none of the identities is a recipient. */
export async function unwrapDataKey(
  { age }: SopsMetadata,
  { keys, looked }: AgeIdentities,
  place: Place,
): Promise<Buffer> {
  const decrypter = new Decrypter();
  for (const key of keys) addIdentity(decrypter, key, looked, place);
  if (keys.length > 0) {
    for (const { enc } of age) {
      const key = await decrypter.decrypt(dearmored(enc, place)).catch(() => undefined);
      if (key?.length === KEY_BYTES) return Buffer.from(key);
    }
  }
  const ssh = age.some(({ recipient }) => recipient.startsWith('ssh-')) ? '; SSH keys cannot be used here' : '';
  const message =
    keys.length === 0
      ? `there is no age key to open this SOPS file with${ssh}`
      : `none of your age keys opens this SOPS file${ssh}`;
  const recipients = age.map(({ recipient }) => recipient).join(', ');
  throw secretProblem('sops-no-key', message, place, `it is for ${recipients}; looked in ${looked.join(', ')}`);
}

/** Encrypts a data key for every recipient. @throws InvalidError for what is no recipient of age. */
export async function wrapDataKey(
  key: Buffer,
  recipients: readonly string[],
  place: Place,
): Promise<SopsMetadata['age']> {
  return Promise.all(
    recipients.map(async (recipient) => {
      const encrypter = new Encrypter();
      try {
        encrypter.addRecipient(recipient);
      } catch {
        const hint = 'a recipient is a public key: age1…; `age-keygen` makes a pair';
        throw secretProblem('age-recipient', `${recipient.slice(0, 12)}… is no recipient of age`, place, hint);
      }
      return { recipient, enc: armor.encode(await encrypter.encrypt(new Uint8Array(key))) };
    }),
  );
}

export function newDataKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

function addIdentity(decrypter: Decrypter, key: string, looked: readonly string[], place: Place): void {
  try {
    decrypter.addIdentity(key);
  } catch {
    throw secretProblem('age-key-damaged', `an age key is damaged (looked in ${looked.join(', ')})`, place);
  }
}

function dearmored(enc: string, place: Place): Uint8Array {
  try {
    return armor.decode(enc.trim());
  } catch {
    throw secretProblem('sops-damaged', 'the encrypted key of a recipient is damaged', place);
  }
}
