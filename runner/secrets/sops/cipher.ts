import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

// The form of an encrypted value: https://getsops.io/docs/#encryption-protocol, and aes/cipher.go in getsops/sops.
const FORM = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]$/;
const NONCE_BYTES = 32;
const TAG_BYTES = 16;

/** `comment` never is a value; `time` is what YAML calls a timestamp. */
export type SopsType = 'str' | 'int' | 'float' | 'bool' | 'bytes' | 'comment' | 'time';
const TYPES: ReadonlySet<string> = new Set(['str', 'int', 'float', 'bool', 'bytes', 'comment', 'time']);

/** What a value of a type looks like; the others are any text. */
const FITS: Partial<Record<SopsType, RegExp>> = {
  int: /^[-+]?\d+$/,
  float: /^(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf|nan)$/i,
  bool: /^(?:true|false|t|f|1|0)$/i,
};

/** A value as SOPS sees it: what it is, and its text, which is also what counts for the MAC. */
export interface SopsValue {
  type: SopsType;
  bytes: Buffer;
}

export function isEncryptedValue(value: unknown): value is string {
  return typeof value === 'string' && FORM.test(value);
}

/**
 * @param path the keys to the value, without indexes: a value that was moved does not decrypt.
 * @returns undefined when the key is wrong, or the text was damaged or moved.
 */
export function decryptValue(text: string, key: Buffer, path: string): SopsValue | undefined {
  const [, data, iv, tag, type] = FORM.exec(text) ?? [];
  if (data === undefined || !TYPES.has(type!)) return undefined;
  const [bytes, nonce, tagBytes] = [data, iv!, tag!].map((part) => Buffer.from(part, 'base64')) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  // A shorter tag would be easier to forge.
  if (tagBytes.length !== TAG_BYTES || nonce.length === 0) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce);
    decipher.setAAD(Buffer.from(path));
    decipher.setAuthTag(tagBytes);
    const plain = Buffer.concat([decipher.update(bytes), decipher.final()]);
    // The type is written in clear, and no tag vouches for it.
    return FITS[type as SopsType]?.test(plain.toString('utf8')) === false
      ? undefined
      : { type: type as SopsType, bytes: plain };
  } catch {
    return undefined;
  }
}

export function encryptValue({ type, bytes }: SopsValue, key: Buffer, path: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(path));
  const data = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const parts = [data, nonce, cipher.getAuthTag()].map((part) => part.toString('base64'));
  return `ENC[AES256_GCM,data:${parts[0]},iv:${parts[1]},tag:${parts[2]},type:${type}]`;
}
