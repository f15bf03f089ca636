import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { isMergeKey } from './convert.ts';
import type { Path } from './document.ts';

export interface Found {
  /** The node at the path, or its nearest parent; undefined in an empty document. */
  node: Node | undefined;
  /** The key it hangs on, when it is the value of a key. */
  key: Node | undefined;
  /** False when only a parent was found. */
  exact: boolean;
}

/** Finds nodes by path. A mapping is indexed when something in it is first looked up. */
export class NodeFinder {
  readonly #root: Node | null;
  readonly #targets: Map<Alias, Node>;
  readonly #indexes = new WeakMap<Node, Map<string, Pair<Node, Node | null>>>();

  constructor(root: Node | null, targets: Map<Alias, Node>) {
    this.#root = root;
    this.#targets = targets;
  }

  find(path: Path): Found {
    let node: Node | undefined = this.#root ?? undefined;
    let key: Node | undefined;
    for (const step of path) {
      const parent: Node | undefined = this.#resolve(node);
      if (isMap(parent)) {
        const pair = this.#index(parent).get(String(step));
        if (!pair) return { node, key, exact: false };
        key = pair.key;
        node = pair.value ?? pair.key;
      } else if (isSeq(parent)) {
        const item = parent.items[Number(step)] as Node | undefined;
        if (!item) return { node, key, exact: false };
        key = undefined;
        node = item;
      } else return { node, key, exact: false };
    }
    return { node: isAlias(node) ? node : this.#resolve(node), key, exact: true };
  }

  /** The node an alias stands for; every other node itself. */
  resolve(node: Node | undefined): Node | undefined {
    return this.#resolve(node);
  }

  #resolve(node: Node | undefined): Node | undefined {
    return isAlias(node) ? this.#targets.get(node) : node;
  }

  #index(map: Node): Map<string, Pair<Node, Node | null>> {
    const known = this.#indexes.get(map);
    if (known) return known;
    const index = new Map<string, Pair<Node, Node | null>>();
    this.#indexes.set(map, index);
    const merges: Node[] = [];
    for (const pair of (map as unknown as { items: Pair<Node, Node | null>[] }).items) {
      if (isMergeKey(pair)) {
        if (pair.value) merges.push(pair.value);
      } else if (isScalar(pair.key)) {
        const name = typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value));
        // Where keys may stand twice, the last one counts.
        index.set(name, pair);
      }
    }
    for (const merge of merges) this.#addMerged(merge, index);
    return index;
  }

  #addMerged(merge: Node, index: Map<string, Pair<Node, Node | null>>): void {
    const target = this.#resolve(merge);
    const sources = isSeq(target) ? (target.items as Node[]) : target ? [target] : [];
    for (const source of sources) {
      const mapping = this.#resolve(source);
      if (!isMap(mapping)) continue;
      for (const [name, pair] of this.#index(mapping)) if (!index.has(name)) index.set(name, pair);
    }
  }
}
