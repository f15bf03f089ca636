import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type Document as YamlDocument,
} from 'yaml';
import type { Place } from '../../errors.ts';
import { secretProblem } from '../problem.ts';

/** A scalar of a tree, with the keys that lead to it; lists add none, as in SOPS. */
export type OnScalar = (scalar: Scalar, path: readonly string[]) => unknown;
/** A comment; what it returns takes its place. */
export type OnComment = (comment: string, path: readonly string[]) => string;

export interface Visitor {
  scalar: OnScalar;
  comment?: OnComment;
}

/** Parses YAML or JSON as SOPS sees it: nodes in their order, comments kept. @throws InvalidError without quoting it. */
export function parseTree(text: string, place: Place): YamlDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: true,
    logLevel: 'error',
    intAsBigInt: false,
    lineCounter,
  });
  lines.set(document, lineCounter);
  const problem = document.errors[0];
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    throw secretProblem('sops-syntax', `this is no valid YAML or JSON (${problem.code})`, {
      ...place,
      line,
      column: 1,
    });
  }
  if (document.contents !== null && !isMap(document.contents)) {
    throw secretProblem('sops-not-mapping', 'SOPS encrypts mappings; this is something else', place);
  }
  return document;
}

const lines = new WeakMap<YamlDocument, LineCounter>();

/** Where a node of a parsed tree stands. */
export function placeOfNode(document: YamlDocument, { range }: Node, { file }: Place): Place {
  const { line, col } = lines.get(document)!.linePos(range?.[0] ?? 0);
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

/**
 * Visits every scalar in the order of the file, which is the order of the MAC, and gives what `scalar` made of them as
 * plain data. `skip` names keys of the root that are left out.
 * @throws InvalidError for an alias and for a key that is no text.
 */
export function visitTree(
  document: YamlDocument,
  visitor: Visitor,
  place: Place,
  skip?: string,
): Record<string, unknown> {
  const comments = (node: object | null | undefined, path: readonly string[]) =>
    changeComments(node, visitor.comment, path);
  const visit = (node: Node | null, path: readonly string[]): unknown => {
    if (node === null) return null;
    if (isAlias(node)) throw secretProblem('sops-alias', 'SOPS keeps no aliases; write the value out', place);
    if (isScalar(node)) {
      comments(node, path.slice(0, -1));
      return visitor.scalar(node as Scalar, path);
    }
    comments(node, path);
    if (isSeq(node)) return node.items.map((item) => visit(item as Node | null, path));
    const entries = isMap(node) ? node.items.map((pair) => member(pair as Pair<Node, Node | null>, path)) : [];
    return Object.fromEntries(entries.filter((entry) => entry !== undefined));
  };
  const member = ({ key, value }: Pair<Node, Node | null>, path: readonly string[]): [string, unknown] | undefined => {
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined) throw secretProblem('sops-key', 'a key must be a plain word or a quoted string', place);
    if (path.length === 0 && name === skip) return undefined;
    comments(key, path);
    return [name, visit(value, [...path, name])];
  };
  comments(document, []);
  return (document.contents ? visit(document.contents as Node, []) : {}) as Record<string, unknown>;
}

/** The parser keeps comments on the nodes around them, several lines as one text. */
function changeComments(node: object | null | undefined, change: OnComment | undefined, path: readonly string[]): void {
  if (!node || !change) return;
  const holder = node as { comment?: string | null; commentBefore?: string | null };
  for (const name of ['commentBefore', 'comment'] as const) {
    const text = holder[name];
    if (typeof text === 'string' && text !== '') {
      holder[name] = text
        .split('\n')
        .map((line) => (line.trim() === '' ? line : change(line, path)))
        .join('\n');
    }
  }
}
