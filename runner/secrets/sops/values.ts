import type { Scalar } from 'yaml';
import type { SopsValue } from './cipher.ts';

/** A plain scalar as SOPS would encrypt it and count it for the MAC; undefined for null, which it leaves as it is. */
export function sopsValue(scalar: Scalar): SopsValue | undefined {
  const { value } = scalar;
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'boolean') return { type: 'bool', bytes: Buffer.from(value ? 'True' : 'False') };
  if (typeof value === 'number') return Number.isInteger(value) ? wholeNumber(scalar, value) : fraction(value);
  if (typeof value === 'bigint') return { type: 'int', bytes: Buffer.from(String(value)) };
  return { type: 'str', bytes: Buffer.from(typeof value === 'string' ? value : (scalar.source ?? String(value))) };
}

/** The value itself, with its type; a whole number that JavaScript cannot hold stays a text. */
export function plainValue({ type, bytes }: SopsValue): unknown {
  const text = bytes.toString('utf8');
  if (type === 'int') return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (type === 'float') return Number(text);
  if (type === 'bool') return /^(true|1|t)$/i.test(text);
  return text;
}

/** What counts for the MAC: a boolean is always written as Python does. */
export function macBytes(value: SopsValue): Buffer {
  return value.type === 'bool' ? Buffer.from(plainValue(value) ? 'True' : 'False') : value.bytes;
}

/** The text of the source is exact where a double is not; what is written with a point or an exponent is a float. */
function wholeNumber({ source }: Scalar, value: number): SopsValue {
  if (source !== undefined && /^[-+]?[\d.]+([eE][-+]?\d+)?$/.test(source) && /[.eE]/.test(source))
    return fraction(value);
  const exact = source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : BigInt(value);
  return { type: 'int', bytes: Buffer.from(String(exact)) };
}

function fraction(value: number): SopsValue {
  return { type: 'float', bytes: Buffer.from(withoutExponent(value)) };
}

/** The shortest text that reads as this number again, without an exponent: `strconv.FormatFloat(x, 'f', -1, 64)` of Go. */
export function withoutExponent(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [, sign = '', whole = '', part = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  if (exponent === undefined) return String(value);
  const digits = whole + part;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
