import type { ASTNode } from '@marcbachmann/cel-js';
import { CEL_CONSTANTS } from './cel-environment.ts';
import type { OffsetReference } from './reference.ts';

/** Macros that bind their first argument as a name for the others. */
export const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Root names that an expression uses. Names bound by macros and CEL's own constants are not among them. */
export function collectReferences(ast: ASTNode): OffsetReference[] {
  return [...referencesIn(ast, { bound: new Set(), optional: false })];
}

interface Search {
  bound: ReadonlySet<string>;
  optional: boolean;
}

type Found = Generator<OffsetReference, void>;

function* referencesIn(node: ASTNode, search: Search): Found {
  switch (node.op) {
    case 'value':
      return;
    case 'id':
    case '.':
    case '[]':
      yield* inPath(node, search);
      return;
    case '.?':
      yield* referencesIn(node.args[0], search);
      return;
    case 'call':
      yield* inCall(node.args[0], node.args[1], search);
      return;
    case 'rcall':
      yield* inMethod(node.args[0], node.args[1], node.args[2], search);
      return;
    case 'map':
      for (const entry of node.args) yield* inAll(entry, search);
      return;
    case '!_':
    case '-_':
      yield* referencesIn(node.args, search);
      return;
    default:
      yield* inAll(node.args as readonly ASTNode[], search);
  }
}

function* inAll(nodes: readonly ASTNode[], search: Search): Found {
  for (const node of nodes) yield* referencesIn(node, search);
}

function* inPath(node: ASTNode, search: Search): Found {
  const members: (string | undefined)[] = [];
  let root = node;
  while (root.op === '.' || root.op === '[]') {
    const key: ASTNode | string = root.args[1];
    if (typeof key === 'string') members.unshift(key);
    else {
      members.unshift(key.op === 'value' ? constantKey(key.args) : undefined);
      yield* referencesIn(key, { ...search, optional: false });
    }
    root = root.args[0];
  }
  if (root.op !== 'id') {
    yield* referencesIn(root, search);
    return;
  }
  if (search.bound.has(root.args) || CEL_CONSTANTS.has(root.args)) return;
  const computed = members.indexOf(undefined);
  const known = (computed < 0 ? members : members.slice(0, computed)) as string[];
  yield { path: [root.args, ...known], optional: search.optional, offset: root.start };
}

function constantKey(key: unknown): string | undefined {
  return typeof key === 'string' || typeof key === 'bigint' || typeof key === 'number' ? String(key) : undefined;
}

function* inCall(name: string, args: readonly ASTNode[], search: Search): Found {
  const [first, ...others] = args;
  if (name === 'has' && first) {
    // members on the way may be missing as well: only the root must be there
    let root: ASTNode = first;
    while (root.op === '.' || root.op === '.?') root = root.args[0];
    yield* referencesIn(root.op === '[]' ? root.args[0] : root, search);
    if (root.op === '[]' || root.op === '[?]') yield* referencesIn(root.args[1], search);
    return;
  }
  const asksOnly = (name === 'default' || name === 'defined') && first !== undefined;
  if (asksOnly) yield* referencesIn(first, { ...search, optional: true });
  yield* inAll(asksOnly ? others : args, search);
}

function* inMethod(name: string, receiver: ASTNode, args: readonly ASTNode[], search: Search): Found {
  yield* referencesIn(receiver, search);
  const [variable, second, third] = args;
  const isBind = name === 'bind' && third !== undefined;
  if (variable?.op !== 'id' || !second || !(isBind || COMPREHENSIONS.has(name))) {
    yield* inAll(args, search);
    return;
  }
  const inside = { ...search, bound: new Set([...search.bound, variable.args]) };
  yield* referencesIn(second, isBind ? search : inside);
  if (third) yield* referencesIn(third, inside);
}
