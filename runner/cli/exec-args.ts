import { parse as parseYaml } from 'yaml';
import { splitWords } from '../../modules/shared/words.ts';
import type { JsonSchema } from '../schema-types.ts';
import { UsageError } from './report-error.ts';

/** What is looked at of a module. */
interface Takes {
  args: { properties: Readonly<Record<string, JsonSchema>> };
  shorthand?: string;
}

/**
 * The arguments of a module from words of the command line: `name=value` pairs, all in one word too (`'src=a dest=/b'`); one
 * YAML mapping; or, for modules with a shorthand, the text itself. A value is read as YAML, unless the module takes text:
 * `mode=0644` means what it says.
 * @throws UsageError when it is none of these.
 */
export function readExecArgs(args: string[], module: Takes): unknown {
  if (args.length === 0) return {};
  const joined = args.join(' ');
  if (joined.trimStart().startsWith('{')) return parseYaml(joined);
  const { properties } = module.args;
  const pairs = pairsOf(inWords(args, properties), properties);
  if (pairs.every((pair) => typeof pair !== 'string')) return Object.fromEntries(pairs);
  if (module.shorthand !== undefined) return joined;
  throw new UsageError(
    `"${pairs.find((pair) => typeof pair === 'string')}" is no argument of this module`,
    `arguments are name=value; there are ${Object.keys(properties).join(', ')}`,
  );
}

/** One word that holds several pairs is several words; Ansible's users write them so. */
function inWords(args: string[], properties: Takes['args']['properties']): string[] {
  const split = args.length === 1 ? splitWords(args[0]!) : undefined;
  if (!split || 'problem' in split) return args;
  return pairsOf(split.words, properties).every((pair) => typeof pair !== 'string') ? split.words : args;
}

/** Each word as a pair, or as it is when it is none. */
function pairsOf(words: string[], properties: Takes['args']['properties']): ([string, unknown] | string)[] {
  return words.map((word) => {
    const [, name = '', value = ''] = /^([a-z_]+)=(.*)$/s.exec(word) ?? [];
    if (!Object.hasOwn(properties, name)) return word;
    return [name, properties[name]!.type === 'string' ? value : parseYaml(value)];
  });
}
