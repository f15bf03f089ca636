import { isUtf8 } from 'node:buffer';
import { pbkdf2, pbkdf2Sync, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { InvalidError, Place } from '../../errors.ts';
import { secretProblem } from '../problem.ts';
import { DERIVED_BYTES, type Envelope, openEnvelope, parseEnvelope, ROUNDS, sealEnvelope } from './format.ts';
import type { VaultPassword, VaultPasswords } from './passwords.ts';

const derive = promisify(pbkdf2);

/**
 * Decrypts an ansible-vault text with the first password that fits; the one of its id is tried first, as Ansible does.
 * @throws InvalidError at `place` when it is damaged or no password fits.
 */
export async function decryptVault(text: string, passwords: VaultPasswords, place: Place): Promise<string> {
  const envelope = envelopeOf(text, place);
  const tried = passwords.inOrder(envelope.id);
  for (const { password } of tried) {
    const plain = openEnvelope(envelope, await derive(password, envelope.salt, ROUNDS, DERIVED_BYTES, 'sha256'));
    if (plain !== undefined) return textOf(plain, place);
  }
  throw noPassword(envelope, tried, place);
}

/** The same where nothing can wait. */
export function decryptVaultSync(text: string, passwords: VaultPasswords, place: Place): string {
  const envelope = envelopeOf(text, place);
  const tried = passwords.inOrder(envelope.id);
  for (const { password } of tried) {
    const plain = openEnvelope(envelope, pbkdf2Sync(password, envelope.salt, ROUNDS, DERIVED_BYTES, 'sha256'));
    if (plain !== undefined) return textOf(plain, place);
  }
  throw noPassword(envelope, tried, place);
}

/** Encrypts a text for ansible-vault: format 1.1, or 1.2 when there is an id. */
export function encryptVault(plain: string, password: string, id?: string, salt = randomBytes(32)): string {
  return sealEnvelope(plain, pbkdf2Sync(password, salt, ROUNDS, DERIVED_BYTES, 'sha256'), salt, id);
}

function envelopeOf(text: string, place: Place): Envelope {
  const envelope = parseEnvelope(text);
  if ('problem' in envelope)
    throw secretProblem('vault-damaged', `this cannot be decrypted: ${envelope.problem}`, place);
  return envelope;
}

function textOf(plain: Buffer, place: Place): string {
  if (isUtf8(plain)) return plain.toString('utf8');
  const message = 'what is encrypted here is no text in UTF-8, and reeve works with text only';
  throw secretProblem('vault-not-text', message, place, 'decrypt it with: ansible-vault decrypt');
}

function noPassword({ id }: Envelope, tried: readonly VaultPassword[], place: Place): InvalidError {
  const label = id === undefined ? '' : ` (vault id ${id})`;
  if (tried.length === 0) {
    const hint = `give it with --vault-id ${id === undefined ? '' : `${id}@`}FILE, --ask-vault-pass or ANSIBLE_VAULT_PASSWORD_FILE`;
    return secretProblem('vault-password-missing', `this is encrypted${label} and there is no password`, place, hint);
  }
  const names = tried.map((one) => one.label).join(', ');
  const message = `this cannot be decrypted${label}: no password fits, or it was changed`;
  return secretProblem('vault-password-wrong', message, place, `tried: ${names}`);
}
