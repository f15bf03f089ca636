import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';

// The format: https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html, «ansible-vault payload
// format 1.1 - 1.2».
const HEADER = /^\$ANSIBLE_VAULT;(\d+\.\d+);([A-Za-z0-9]+)(?:;([^\r\n;]*))?\s*$/;
/** Rounds of PBKDF2 with SHA-256, and the bytes it gives: two keys of 32 and a counter of 16. */
export const ROUNDS = 10_000;
export const DERIVED_BYTES = 80;
const LINE = 80;

/** An ansible-vault text, taken apart. */
export interface Envelope {
  /** Of format 1.2: which of several passwords it was made with. */
  id: string | undefined;
  salt: Buffer;
  hmac: Buffer;
  data: Buffer;
}

/** Takes an ansible-vault text apart; what is wrong with it is said without quoting it. */
export function parseEnvelope(text: string): Envelope | { problem: string } {
  const [first = '', ...lines] = text.trim().split(/\r?\n/);
  const [, version, cipher, id] = HEADER.exec(first.trim()) ?? [];
  if (version === undefined) return { problem: 'it does not begin like an ansible-vault text' };
  if (version !== '1.1' && version !== '1.2') return { problem: `its format is ${version}; reeve reads 1.1 and 1.2` };
  if (cipher !== 'AES256') return { problem: `its cipher is ${cipher}; reeve reads AES256` };
  const outer = unhex(lines.map((line) => line.trim()).join(''));
  const parts = outer?.toString('latin1').split('\n').map(unhex);
  const [salt, hmac, data] = parts ?? [];
  if (parts?.length !== 3 || !salt?.length || !hmac?.length || !data?.length) return { problem: 'it is damaged' };
  return { id: id || undefined, salt, hmac, data };
}

/** The plain bytes, or undefined when the keys are wrong or the text was changed. */
export function openEnvelope({ hmac, data }: Envelope, keys: Buffer): Buffer | undefined {
  const wanted = createHmac('sha256', keys.subarray(32, 64)).update(data).digest();
  if (wanted.length !== hmac.length || !timingSafeEqual(wanted, hmac)) return undefined;
  const decipher = createDecipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64, 80));
  const padded = Buffer.concat([decipher.update(data), decipher.final()]);
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
}

/** An ansible-vault text of format 1.1, or 1.2 when it has an id. */
export function sealEnvelope(plain: string, keys: Buffer, salt: Buffer, id?: string): string {
  const bytes = Buffer.from(plain);
  const rest = 16 - (bytes.length % 16);
  const cipher = createCipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64, 80));
  const data = Buffer.concat([cipher.update(bytes), cipher.update(Buffer.alloc(rest, rest)), cipher.final()]);
  const hmac = createHmac('sha256', keys.subarray(32, 64)).update(data).digest();
  const inner = [salt, hmac, data].map((part) => part.toString('hex')).join('\n');
  const hex = Buffer.from(inner).toString('hex');
  const header = id === undefined ? '$ANSIBLE_VAULT;1.1;AES256' : `$ANSIBLE_VAULT;1.2;AES256;${id}`;
  return `${[header, ...(hex.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [])].join('\n')}\n`;
}

function unhex(text: string): Buffer | undefined {
  return text.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}
