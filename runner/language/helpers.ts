import {
  baseName,
  directoryName,
  isTruthy,
  itemOf,
  keysOf,
  lengthOf,
  listOf,
  quoteForShell,
  sorted,
  textOf,
  uniqueItems,
} from './helper-values.ts';

/** What a template writes between `{{` and `}}` before its values. The docs page of the language is made of this table. */
export interface Helper {
  name: string;
  /** How it is written, for docs and error messages. */
  usage: string;
  description: string;
  example: { template: string; result: string };
  /** How many values it takes. */
  values: [least: number, most: number];
  /** Names of `name=value` options. */
  options?: string[];
  /** True when it works on a list or mapping that holds unknown values; others become unknown by it. */
  shallow?: boolean;
  /** Absent for what the compiler does itself, because it must not read all of its values. */
  run?: (values: unknown[], options: Record<string, unknown>) => unknown;
}

export const HELPERS: readonly Helper[] = [
  {
    name: 'default',
    usage: 'default value fallback',
    description: 'The value, or the fallback when the value is not defined or null.',
    example: { template: '{{default missing.name "none"}}', result: 'none' },
    values: [2, 2],
  },
  {
    name: 'defined',
    usage: 'defined value',
    description: 'True when the name has a value; a name that does not exist is no error here. Null is a value.',
    example: { template: '{{#if (defined missing)}}yes{{else}}no{{/if}}', result: 'no' },
    values: [1, 1],
  },
  {
    name: 'lookup',
    usage: 'lookup value key [key …]',
    description: 'A member of a mapping or list by a computed key.',
    example: { template: '{{lookup ports name}}', result: '80' },
    values: [2, 16],
  },
  {
    name: 'and',
    usage: 'and a b [c …]',
    description: 'True when all values are true in the sense of `#if`.',
    example: { template: '{{and true name}}', result: 'true' },
    values: [2, 16],
  },
  {
    name: 'or',
    usage: 'or a b [c …]',
    description: 'True when one of the values is true in the sense of `#if`.',
    example: { template: '{{or false name}}', result: 'true' },
    values: [2, 16],
  },
  {
    name: 'not',
    usage: 'not value',
    description: 'True when the value is not true in the sense of `#if`.',
    example: { template: '{{not name}}', result: 'false' },
    values: [1, 1],
    run: ([value]) => !isTruthy(value),
  },
  {
    name: 'eq',
    usage: 'eq a b',
    description: 'True when both are the same text, number or boolean.',
    example: { template: '{{#if (eq name "web")}}yes{{/if}}', result: 'yes' },
    values: [2, 2],
    run: ([a, b]) => a === b,
  },
  {
    name: 'join',
    usage: 'join list [separator]',
    description: 'The items of a list as one text, with a comma between them or the separator given.',
    example: { template: '{{join list ", "}}', result: 'b, a, b' },
    values: [1, 2],
    run: ([list, separator = ',']) =>
      listOf('join', list)
        .map((item) => textOf('join', item))
        .join(textOf('join', separator)),
  },
  {
    name: 'json',
    usage: 'json value [indent=2]',
    description: 'The value as JSON.',
    example: { template: '{{json ports}}', result: '{"web":80}' },
    values: [1, 1],
    options: ['indent'],
    run: ([value], { indent }) => JSON.stringify(value, undefined, typeof indent === 'number' ? indent : undefined),
  },
  {
    name: 'quote',
    usage: 'quote value',
    description: 'The text quoted as one word for a POSIX shell.',
    example: { template: '{{quote title}}', result: "'Ann'\\''s shop'" },
    values: [1, 1],
    run: ([value]) => quoteForShell(textOf('quote', value)),
  },
  {
    name: 'b64',
    usage: 'b64 text',
    description: 'The text in base64 (of its UTF-8 bytes).',
    example: { template: '{{b64 name}}', result: 'd2Vi' },
    values: [1, 1],
    run: ([value]) => Buffer.from(textOf('b64', value), 'utf8').toString('base64'),
  },
  {
    name: 'lower',
    usage: 'lower text',
    description: 'The text in lower case.',
    example: { template: '{{lower "Web"}}', result: 'web' },
    values: [1, 1],
    run: ([value]) => textOf('lower', value).toLowerCase(),
  },
  {
    name: 'upper',
    usage: 'upper text',
    description: 'The text in upper case.',
    example: { template: '{{upper name}}', result: 'WEB' },
    values: [1, 1],
    run: ([value]) => textOf('upper', value).toUpperCase(),
  },
  {
    name: 'trim',
    usage: 'trim text',
    description: 'The text without space and line ends around it.',
    example: { template: '{{trim " web "}}', result: 'web' },
    values: [1, 1],
    run: ([value]) => textOf('trim', value).trim(),
  },
  {
    name: 'replace',
    usage: 'replace text old new',
    description: 'The text with every occurrence of `old` replaced; both are plain text, not patterns.',
    example: { template: '{{replace name "w" "W"}}', result: 'Web' },
    values: [3, 3],
    run: ([value, old, by]) => textOf('replace', value).replaceAll(textOf('replace', old), () => textOf('replace', by)),
  },
  {
    name: 'split',
    usage: 'split text separator',
    description: 'The list of parts between the separators.',
    example: { template: '{{json (split "a,b" ",")}}', result: '["a","b"]' },
    values: [2, 2],
    run: ([value, separator]) => textOf('split', value).split(textOf('split', separator)),
  },
  {
    name: 'basename',
    usage: 'basename path',
    description: 'The last part of a path.',
    example: { template: '{{basename "/etc/rancher/k3s.yaml"}}', result: 'k3s.yaml' },
    values: [1, 1],
    run: ([value]) => baseName(textOf('basename', value)),
  },
  {
    name: 'dirname',
    usage: 'dirname path',
    description: 'The path without its last part.',
    example: { template: '{{dirname "/etc/rancher/k3s.yaml"}}', result: '/etc/rancher' },
    values: [1, 1],
    run: ([value]) => directoryName(textOf('dirname', value)),
  },
  {
    name: 'length',
    usage: 'length value',
    description: 'How many items a list, members a mapping or characters a text has.',
    example: { template: '{{length list}}', result: '3' },
    values: [1, 1],
    shallow: true,
    run: ([value]) => lengthOf(value),
  },
  {
    name: 'keys',
    usage: 'keys mapping',
    description: 'The list of the names in a mapping.',
    example: { template: '{{join (keys ports)}}', result: 'web' },
    values: [1, 1],
    shallow: true,
    run: ([value]) => keysOf('keys', value),
  },
  {
    name: 'first',
    usage: 'first list',
    description: 'The first item of a list; an error when there is none.',
    example: { template: '{{first list}}', result: 'b' },
    values: [1, 1],
    shallow: true,
    run: ([value]) => itemOf('first', value, 0),
  },
  {
    name: 'last',
    usage: 'last list',
    description: 'The last item of a list; an error when there is none.',
    example: { template: '{{last list}}', result: 'b' },
    values: [1, 1],
    shallow: true,
    run: ([value]) => itemOf('last', value, -1),
  },
  {
    name: 'unique',
    usage: 'unique list',
    description: 'The list with each item once, in the order of first appearance.',
    example: { template: '{{join (unique list)}}', result: 'b,a' },
    values: [1, 1],
    run: ([value]) => uniqueItems(listOf('unique', value)),
  },
  {
    name: 'sort',
    usage: 'sort list',
    description: 'The list in ascending order: numbers by size, texts by character code.',
    example: { template: '{{join (sort list)}}', result: 'a,b,b' },
    values: [1, 1],
    run: ([value]) => sorted(listOf('sort', value)),
  },
];

/** The blocks of the language, for docs; the compiler knows how they work. */
export const BLOCKS: readonly { name: string; usage: string; description: string }[] = [
  {
    name: 'if',
    usage: '{{#if value}} … {{else if other}} … {{else}} … {{/if}}',
    description: 'The text when the value is true: not false, null, 0, an empty text or an empty list.',
  },
  { name: 'unless', usage: '{{#unless value}} … {{/unless}}', description: 'The opposite of `#if`.' },
  {
    name: 'each',
    usage: '{{#each list as |item index|}} … {{else}} … {{/each}}',
    description:
      'The text once for each item of a list or member of a mapping. Inside, names are members of the item; ' +
      '`this` is the item, `@index`, `@key`, `@first` and `@last` its position, `../name` and `@root.name` reach out.',
  },
  {
    name: 'with',
    usage: '{{#with value as |name|}} … {{/with}}',
    description: 'The text with the members of the value as names.',
  },
];
