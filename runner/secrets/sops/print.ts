import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type Document as YamlDocument } from 'yaml';

/** How a file is written: by its name, as in SOPS. */
export type SopsFormat = 'yaml' | 'json';

export function formatOf(file: string): SopsFormat {
  return file.endsWith('.json') ? 'json' : 'yaml';
}

/** The tree as text, in the layout of sops, so that a file that both tools write does not change all over. */
export function printTree(tree: YamlDocument, format: SopsFormat): string {
  if (format === 'yaml') return tree.toString({ indent: 4, lineWidth: 0 });
  return `${json(tree.contents as Node | null, '')}\n`;
}

/** JSON by ourselves: plain objects would lose the order of keys that look like numbers. */
function json(node: Node | null, indent: string): string {
  const inner = `${indent}\t`;
  if (isMap(node)) {
    const members = (node.items as Pair<Scalar | string, Node | null>[]).map(
      ({ key, value }) => `${inner}${JSON.stringify(String(isScalar(key) ? key.value : key))}: ${json(value, inner)}`,
    );
    return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
  }
  if (isSeq(node)) {
    const items = (node.items as (Node | null)[]).map((item) => inner + json(item, inner));
    return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`;
  }
  if (!isScalar(node)) return 'null';
  return typeof node.value === 'bigint' ? String(node.value) : JSON.stringify(node.value);
}
