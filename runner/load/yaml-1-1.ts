import type { ScalarTag } from 'yaml';

/**
 * Plain scalars as PyYAML reads them, and so Ansible: the expressions are those of PyYAML's `Resolver` (MIT licence,
 * yaml/resolver.py 6.0), which is narrower than YAML 1.1 (`y` and `n` are text, `1e3` is text) and knows numbers to
 * the base of 60 (`12:30` is 750).
 */
const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const FLOAT =
  /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const NULL = /^(?:~|null|Null|NULL|)$/;
const TIMESTAMP =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(?:(Z)|([-+])(\d\d?)(?::(\d\d))?))?)?$/;

/** A date alone has two digits for month and day; with a time one is enough. */
const PLAIN_TIMESTAMP = /^(?:\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]).*)$/;

/** Types of scalars for the parser, beside those that are always text. Timestamps stay text, in Python's form. */
export const YAML_1_1_SCALARS: ScalarTag[] = [
  tag('null', NULL, () => null),
  tag('bool', BOOL, (text) => /^(?:yes|true|on)$/i.test(text)),
  tag('int', INT, integer),
  tag('float', FLOAT, float),
  tag('timestamp', new RegExp(`(?=${PLAIN_TIMESTAMP.source})${TIMESTAMP.source}`), timestamp),
  // `!!float 1`, which a plain scalar would not be.
  { tag: 'tag:yaml.org,2002:float', resolve: float } as ScalarTag,
];

function tag(name: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag {
  return { tag: `tag:yaml.org,2002:${name}`, default: true, test, resolve } as ScalarTag;
}

function integer(text: string): number | string {
  const plain = text.replaceAll('_', '');
  const sign = plain.startsWith('-') ? -1 : 1;
  const digits = plain.replace(/^[-+]/, '');
  if (digits.includes(':')) return sign * sexagesimal(digits);
  if (/^0[bx]/.test(digits)) return sign * Number(digits);
  const value = digits.startsWith('0') ? Number.parseInt(digits, 8) : Number(digits);
  // Python's integers have no end; as text the digits are kept.
  return Number.isSafeInteger(value) ? sign * value || 0 : text;
}

function float(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase();
  const sign = plain.startsWith('-') ? -1 : 1;
  const digits = plain.replace(/^[-+]/, '');
  if (digits === '.inf') return sign * Number.POSITIVE_INFINITY;
  if (digits === '.nan') return Number.NaN;
  return sign * (digits.includes(':') ? sexagesimal(digits) : Number(digits));
}

function sexagesimal(digits: string): number {
  return digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** As Python's isoformat writes it, which is what ansible-inventory shows. */
function timestamp(text: string): string {
  const match = TIMESTAMP.exec(text)!;
  const [year, month, day, hour, minute, second, fraction, utc, sign, zoneHour, zoneMinute] = match.slice(1);
  const two = (part: string | undefined) => (part ?? '0').padStart(2, '0');
  const date = `${year}-${two(month)}-${two(day)}`;
  if (hour === undefined) return date;
  const parts = fraction && Number(fraction) > 0 ? `.${fraction.slice(0, 6).padEnd(6, '0')}` : '';
  const zone = utc ? '+00:00' : sign ? `${sign}${two(zoneHour)}:${two(zoneMinute)}` : '';
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${parts}${zone}`;
}
