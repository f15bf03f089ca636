import { splitWords } from '../../modules/shared/words.ts';
import { plainYaml } from '../load/plain-yaml.ts';
import type { JsonSchema } from '../schema-types.ts';
import { UsageError } from './report-error.ts';

/** What is looked at of a module. */
interface Takes {
  args: { properties: Readonly<Record<string, JsonSchema>>; additionalProperties?: unknown };
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
  if (joined.trimStart().startsWith('{')) {
    const mapping = plainYaml(joined);
    const names = typeof mapping === 'object' ? Object.keys(mapping as object) : [];
    // `{ echo a; }` is a mapping to YAML, and text for a shell.
    const isText = module.shorthand !== undefined && !names.some((name) => Object.hasOwn(module.args.properties, name));
    if (isText) return joined;
    if (typeof mapping !== 'object') throw new UsageError(`${joined} is no YAML mapping`);
    return mapping;
  }
  const { properties } = module.args;
  const pairs = pairsOf(inWords(args, module), module);
  if (pairs.every((pair) => typeof pair !== 'string')) return Object.fromEntries(pairs);
  if (module.shorthand !== undefined) return joined;
  throw new UsageError(
    `"${pairs.find((pair) => typeof pair === 'string')}" is no argument of this module`,
    `arguments are name=value; there are ${Object.keys(properties).join(', ')}`,
  );
}

/** One word that holds several pairs is several words; Ansible's users write them so. */
function inWords(args: string[], module: Takes): string[] {
  const split = args.length === 1 ? splitWords(args[0]!) : undefined;
  if (!split || 'problem' in split) return args;
  return pairsOf(split.words, module).every((pair) => typeof pair !== 'string') ? split.words : args;
}

/** Each word as a pair, or as it is when it is none. */
function pairsOf(words: string[], { args }: Takes): ([string, unknown] | string)[] {
  const isFree = args.additionalProperties !== undefined && args.additionalProperties !== false;
  return words.map((word) => {
    const [, name = '', value = ''] = /^([a-z_]+)=(.*)$/s.exec(word) ?? [];
    const schema = Object.hasOwn(args.properties, name) ? args.properties[name] : undefined;
    if (name === '' || !(schema || isFree)) return word;
    return [name, schema?.type === 'string' ? value : plainYaml(value)];
  });
}
