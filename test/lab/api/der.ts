/** The few ASN.1 types that an X.509 certificate is made of, in DER (ITU-T X.690). */

const CONSTRUCTED = 0x20;
const CONTEXT = 0x80;

function tlv(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: Buffer[]): Buffer => tlv(0x30, Buffer.concat(items));
export const set = (...items: Buffer[]): Buffer => tlv(0x31, Buffer.concat(items));
export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text));
export const octets = (content: Buffer): Buffer => tlv(0x04, content);

/** A bit string; `unused` is the number of padding bits in the last byte. */
export const bits = (content: Buffer, unused = 0): Buffer => tlv(0x03, Buffer.concat([Buffer.from([unused]), content]));

/** An unsigned integer given as big-endian bytes. */
export function integer(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  const negative = (trimmed[0] ?? 0) & 0x80;
  return tlv(0x02, negative ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const group = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) group.unshift((high & 0x7f) | 0x80);
    bytes.push(...group);
  }
  return tlv(0x06, Buffer.from(bytes));
}

/** A time; RFC 5280 wants UTCTime until 2049 and GeneralizedTime after. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14) + 'Z';
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}

/** A context-specific constructed value: `[number] { content }`. */
export const explicit = (number: number, content: Buffer): Buffer => tlv(CONTEXT | CONSTRUCTED | number, content);

/** A context-specific primitive value: `[number] bytes`. */
export const implicit = (number: number, content: Buffer): Buffer => tlv(CONTEXT | number, content);

/** The contents of the first element in `der`, its tag and length left out. */
export function contentOf(der: Buffer): Buffer {
  const length = der[1] ?? 0;
  return der.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
}
