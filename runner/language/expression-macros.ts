import type { ASTNode } from '@marcbachmann/cel-js';
import { aKindOf, isMapping } from './access.ts';
import { compileNode, type EvaluateNode, type EvaluationContext, notBoolean } from './expression-compile.ts';
import { ValueFault } from './expression-delegate.ts';
import { Fault } from './fault.ts';
import { LazyMapping } from './lazy.ts';
import { isUnknown, type Unknown } from './unknown.ts';

/** `list.all(x, …)`, `exists`, `exists_one`, `filter`, `map`; over a mapping, its names are the items. */
export function compileComprehension(
  name: string,
  receiver: ASTNode,
  args: readonly ASTNode[],
  offset: number,
): EvaluateNode {
  const [variable, ...rest] = args;
  const wanted = name === 'map' && rest.length === 2 ? 2 : 1;
  if (variable?.op !== 'id' || rest.length !== wanted) {
    const hint = `write \`list.${name}(item, …)\`, where \`item\` is a name of your choice`;
    throw new Fault('expression-syntax', offset, `\`.${name}()\` takes a name and an expression`, hint);
  }
  const [first, second] = rest.map((node) => compileNode(node));
  const run: Comprehension = {
    first: { evaluate: first!, offset: rest[0]!.start, where: `\`.${name}()\`` },
    second,
    bind: (context, item) => ({ ...context, locals: { name: variable.args, value: item, outer: context.locals } }),
  };
  const read = compileNode(receiver);
  return (context) => {
    const subject = read(context);
    if (isUnknown(subject)) return subject;
    return runComprehension(name, itemsOf(subject, name, receiver.start), run, context);
  };
}

interface Comprehension {
  first: Predicate;
  second: EvaluateNode | undefined;
  bind: (context: EvaluationContext, item: unknown) => EvaluationContext;
}

interface Predicate {
  evaluate: EvaluateNode;
  offset: number;
  where: string;
}

function runComprehension(
  name: string,
  items: readonly unknown[],
  { first, second, bind }: Comprehension,
  context: EvaluationContext,
): unknown {
  const ask = (item: unknown) => askPredicate(first, bind(context, item));
  switch (name) {
    case 'all':
      return quantify(items, ask, false);
    case 'exists':
      return quantify(items, ask, true);
    case 'exists_one': {
      const matches = select(items, ask);
      return isUnknown(matches) ? matches : matches.length === 1;
    }
    case 'filter':
      return select(items, ask);
    default: {
      if (!second) return items.map((item) => first.evaluate(bind(context, item)));
      const matches = select(items, ask);
      return isUnknown(matches) ? matches : matches.map((item) => second(bind(context, item)));
    }
  }
}

function askPredicate(predicate: Predicate, context: EvaluationContext): boolean | Unknown {
  const value = predicate.evaluate(context);
  if (typeof value === 'boolean' || isUnknown(value)) return value;
  throw notBoolean(value, predicate.offset, predicate.where);
}

/** `exists` (deciding true) and `all` (deciding false): like `||` and `&&` over the items. */
function quantify(items: readonly unknown[], ask: (item: unknown) => boolean | Unknown, deciding: boolean): unknown {
  let unknown: Unknown | undefined;
  let fault: ValueFault | undefined;
  for (const item of items) {
    try {
      const answer = ask(item);
      if (answer === deciding) return deciding;
      if (isUnknown(answer)) unknown ??= answer;
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      fault ??= error;
    }
  }
  if (unknown) return unknown;
  if (fault) throw fault;
  return !deciding;
}

function select(items: readonly unknown[], ask: (item: unknown) => boolean | Unknown): unknown[] | Unknown {
  const selected: unknown[] = [];
  for (const item of items) {
    const answer = ask(item);
    if (isUnknown(answer)) return answer;
    if (answer) selected.push(item);
  }
  return selected;
}

function itemsOf(subject: unknown, name: string, offset: number): readonly unknown[] {
  if (Array.isArray(subject)) return subject;
  if (subject instanceof LazyMapping) return [...subject.names()];
  if (isMapping(subject)) return Object.keys(subject);
  const message = `\`.${name}()\` needs a list or a mapping, not ${aKindOf(subject)}`;
  throw new ValueFault('expression-value', offset, message);
}

/** `cel.bind(name, value, expression)`. */
export function compileBind(args: readonly ASTNode[], offset: number): EvaluateNode {
  const [variable, valueNode, body] = args;
  if (variable?.op !== 'id' || !valueNode || !body) {
    throw new Fault('expression-syntax', offset, '`cel.bind` takes a name, a value and an expression');
  }
  const name = variable.args;
  const read = compileNode(valueNode);
  const evaluate = compileNode(body);
  return (context) => evaluate({ ...context, locals: { name, value: read(context), outer: context.locals } });
}
