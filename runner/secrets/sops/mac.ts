import { createHash, type Hash, timingSafeEqual } from 'node:crypto';
import type { Place } from '../../errors.ts';
import { secretProblem } from '../problem.ts';
import { decryptValue, encryptValue } from './cipher.ts';
import type { SopsMetadata, SopsRules } from './metadata.ts';

/** What a MAC over encrypted values alone begins with: the SHA-256 of `sops` (MACOnlyEncryptedInitialization, sops.go). */
const ONLY_ENCRYPTED = createHash('sha256').update('sops').digest();

/** The hash of a file's values, to be fed in their order. */
export function startMac(rules: SopsRules): Hash {
  const hash = createHash('sha512');
  return rules.mac_only_encrypted ? hash.update(ONLY_ENCRYPTED) : hash;
}

/** @throws InvalidError when the file was changed since it was written. */
export function verifyMac(hash: Hash, metadata: SopsMetadata, key: Buffer, place: Place): void {
  const wanted = decryptValue(metadata.mac, key, metadata.lastmodified)?.bytes;
  const found = Buffer.from(hash.digest('hex').toUpperCase());
  if (wanted && wanted.length === found.length && timingSafeEqual(wanted, found)) return;
  const message = 'the MAC of this SOPS file does not fit: it was changed without sops, or damaged';
  throw secretProblem('sops-mac', message, place, 'restore it; or look at what was changed with git');
}

export function sealMac(hash: Hash, key: Buffer, lastmodified: string): string {
  return encryptValue({ type: 'str', bytes: Buffer.from(hash.digest('hex').toUpperCase()) }, key, lastmodified);
}
