import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Diagnostic, Place } from '../errors.ts';
import { Raw } from './document.ts';
import type { LineIndex } from './line-index.ts';

/** Nesting no person writes; below it every part that walks values may recurse. */
const MAX_DEPTH = 200;
/** Nodes that aliases may add to a document. An alias bomb has millions. */
const MAX_ALIASED_NODES = 100_000;

/** Makes the value of a tagged string. */
export type Tags = Record<string, (text: string, place: Place) => unknown>;

const OWN_TAGS: Tags = { '!raw': (text) => new Raw(text) };
const CORE_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

export interface Converted {
  value: unknown;
  /** What each alias stands for. */
  targets: Map<Alias, Node>;
  problems: Diagnostic[];
}

/** Turns the parser's nodes into plain values: mappings, lists, scalars and the objects of known tags. */
export function convert(
  root: Node | null,
  lines: LineIndex,
  tags: Tags,
  duplicateKeys: 'error' | 'last' = 'error',
): Converted {
  const converter = new Converter(lines, { ...OWN_TAGS, ...tags }, duplicateKeys);
  const value = root ? converter.node(root, 0) : null;
  return { value, targets: converter.targets, problems: converter.problems };
}

class Converter {
  readonly targets = new Map<Alias, Node>();
  readonly problems: Diagnostic[] = [];
  readonly #lines: LineIndex;
  readonly #tags: Tags;
  readonly #lastWins: boolean;
  readonly #anchors = new Map<string, Node>();
  readonly #done = new Map<Node, { value: unknown; size: number }>();
  #nodes = 0;
  #aliased = 0;

  constructor(lines: LineIndex, tags: Tags, duplicateKeys: 'error' | 'last') {
    this.#lines = lines;
    this.#tags = tags;
    this.#lastWins = duplicateKeys === 'last';
  }

  node(node: Node, depth: number): unknown {
    if (depth > MAX_DEPTH) {
      this.#report('nested-too-deep', `nested more than ${MAX_DEPTH} levels deep`, node);
      return null;
    }
    if (isAlias(node)) return this.#alias(node);
    const before = this.#nodes++;
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor) this.#anchors.set(anchor, node);
    const value = this.#tagged(node, depth);
    if (anchor) this.#done.set(node, { value, size: this.#nodes - before });
    return value;
  }

  #tagged(node: Node, depth: number): unknown {
    const tag = (node as { tag?: string }).tag;
    if (tag && !CORE_TAGS.has(tag) && this.#tags[tag]) {
      if (isScalar(node)) return this.#tags[tag](stringOf(node), this.#place(node));
      this.#report('misplaced-tag', `the tag ${tag} belongs before a string`, node);
    }
    if (isScalar(node)) return this.#scalar(node);
    if (isMap(node)) return this.#map(node as YAMLMap<Node, Node | null>, depth);
    if (isSeq(node)) return (node as YAMLSeq<Node>).items.map((item) => this.node(item, depth + 1));
    return null;
  }

  #scalar(node: Scalar): unknown {
    const value = node.value;
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      if (/^[-+]?\d+$/.test(node.source ?? '')) {
        this.#report(
          'number-too-large',
          `the number ${node.source} is too large to be kept exactly`,
          node,
          `write it as text: "${node.source}"`,
        );
      }
    }
    if (value instanceof Date || value instanceof Uint8Array) return node.source ?? String(value);
    return value;
  }

  #map(map: YAMLMap<Node, Node | null>, depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const seen = new Map<string, Node>();
    const merges: Node[] = [];
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        if (pair.value) merges.push(pair.value);
        continue;
      }
      const key = this.#key(pair, map, depth);
      const value = pair.value ? this.node(pair.value, depth + 1) : null;
      if (key === undefined) continue;
      const earlier = seen.get(key);
      if (earlier) this.#duplicate(key, pair.key, earlier);
      if (!earlier || this.#lastWins) result[key] = value;
      seen.set(key, pair.key);
    }
    for (const merge of merges) this.#merge(merge, result, depth);
    return result;
  }

  #key(pair: Pair<Node, Node | null>, parent: YAMLMap, depth: number): string | undefined {
    const key = pair.key;
    if (isMap(key)) {
      this.#unquotedTemplate(key, parent);
      return undefined;
    }
    const value = key ? this.node(key, depth + 1) : null;
    if (key && isScalar(key) && value !== null && typeof value !== 'object') {
      const name = typeof value === 'string' ? value : (key.source ?? String(value));
      if (name !== '__proto__') return name;
      this.#report('reserved-key', '`__proto__` cannot be a key', key);
      return undefined;
    }
    this.#report('key-not-text', 'a key must be a plain word or a quoted string', key ?? parent);
    return undefined;
  }

  /** `key: {{ x }}` without quotes is, to YAML, a mapping with a mapping for its key. */
  #unquotedTemplate(key: Node, parent: YAMLMap): void {
    const [start, end] = key.range ?? [0, 0];
    const inner = this.#lines.text.slice(start, end).replace(/^\{\s*|\s*\}$/g, '');
    this.#report(
      'unquoted-template',
      'a value that begins with `{{` must be quoted; without quotes YAML reads a mapping',
      parent,
      `"{{ ${inner} }}"`,
    );
  }

  #merge(node: Node, into: Record<string, unknown>, depth: number): void {
    const value = this.node(node, depth + 1);
    const sources = Array.isArray(value) ? value : [value];
    for (const source of sources) {
      if (source === null || typeof source !== 'object' || Array.isArray(source)) {
        this.#report('merge-not-mapping', '`<<` takes a mapping or a list of mappings', node);
        continue;
      }
      for (const [key, merged] of Object.entries(source)) if (!Object.hasOwn(into, key)) into[key] = merged;
    }
  }

  #alias(alias: Alias): unknown {
    const target = this.#anchors.get(alias.source);
    if (!target) {
      this.#report(
        'unknown-alias',
        `there is no anchor &${alias.source} before this alias`,
        alias,
        `\`*\` begins an alias; a text that begins with it must be quoted: "*${alias.source}"`,
      );
      return null;
    }
    const done = this.#done.get(target);
    if (!done) {
      this.#report('alias-cycle', `the alias *${alias.source} stands inside the value it is an alias of`, alias);
      return null;
    }
    this.targets.set(alias, target);
    const before = this.#aliased;
    this.#aliased += done.size;
    // Nodes reached through aliases count wherever they are reached again.
    this.#nodes += done.size;
    if (before <= MAX_ALIASED_NODES && this.#aliased > MAX_ALIASED_NODES) {
      this.#report('alias-bomb', `the aliases of this file stand for more than ${MAX_ALIASED_NODES} values`, alias);
    }
    return this.#aliased > MAX_ALIASED_NODES ? null : done.value;
  }

  #duplicate(key: string, node: Node, earlier: Node): void {
    this.problems.push({
      code: 'duplicate-key',
      severity: this.#lastWins ? 'warning' : 'error',
      message: `the key \`${key}\` is already in this mapping${this.#lastWins ? '; this one, the last, counts' : ''}`,
      place: this.#place(node),
      related: [{ message: 'first here', place: this.#place(earlier) }],
    });
  }

  #report(code: string, message: string, node: Node, hint?: string): void {
    this.problems.push({ code, severity: 'error', message, place: this.#place(node), ...(hint ? { hint } : {}) });
  }

  #place(node: Node) {
    return this.#lines.place(node.range?.[0] ?? 0, node.range?.[1]);
  }
}

/** A tagged scalar keeps its text: `!raw 1.30` is the text `1.30`. */
function stringOf(node: Scalar): string {
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

/** `<<` without quotes. */
export function isMergeKey(pair: Pair): boolean {
  const key = pair.key;
  return isScalar(key) && key.type === 'PLAIN' && key.source === '<<';
}
