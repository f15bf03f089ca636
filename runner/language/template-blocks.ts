import { aKindOf, isMapping, readMember } from './access.ts';
import { Fault } from './fault.ts';
import { isTruthy } from './helper-values.ts';
import { BLOCKS } from './helpers.ts';
import { LazyMapping } from './lazy.ts';
import { didYouMean } from './nearest.ts';
import { type Compilation, compileProgram, compileValue } from './template-compile.ts';
import type { Evaluate, Frame, RenderContext, StaticFrame } from './template-scope.ts';
import { isUnknown } from './unknown.ts';

/** `#if`, `#unless`, `#each` and `#with`; text, or Unknown when the value they ask is. */
export function compileBlock(
  compilation: Compilation,
  block: hbs.AST.BlockStatement,
  frames: StaticFrame | undefined,
): Evaluate {
  const offset = compilation.parsed.offsetOf(block);
  const name = String(block.path.original);
  const known = BLOCKS.find((entry) => entry.name === name);
  if (!known) {
    const names = BLOCKS.map((entry) => entry.name);
    const hint = didYouMean(name, names) ?? 'blocks are `#if`, `#unless`, `#each` and `#with`';
    throw new Fault('unknown-helper', offset, `there is no block \`#${name}\``, hint);
  }
  const subject = block.params[0];
  if (!subject || block.params.length > 1 || (block.hash?.pairs.length ?? 0) > 0) {
    const message = `\`#${name}\` takes one value`;
    const hint = `write \`${known.usage}\`; combine values with \`(and a b)\`, \`(eq a b)\``;
    throw new Fault('template-syntax', offset, message, hint);
  }
  const value = compileValue(compilation, subject, frames);
  const parameters = block.program?.blockParams ?? [];
  if (name === 'if' || name === 'unless') {
    const program = compileProgram(compilation, block.program, frames);
    const inverse = compileProgram(compilation, block.inverse, frames);
    return name === 'if' ? branch(value, program, inverse) : branch(value, inverse, program);
  }
  const inner: StaticFrame = { parent: frames, parameters, hasData: name === 'each' };
  const program = compileProgram(compilation, block.program, inner);
  const inverse = compileProgram(compilation, block.inverse, frames);
  return name === 'with' ? withBlock(value, program, inverse) : eachBlock(value, program, inverse, offset);
}

function branch(value: Evaluate, program: Evaluate, inverse: Evaluate): Evaluate {
  return (context) => {
    const decided = value(context);
    if (isUnknown(decided)) return decided;
    return isTruthy(decided) ? program(context) : inverse(context);
  };
}

function withBlock(value: Evaluate, program: Evaluate, inverse: Evaluate): Evaluate {
  return (context) => {
    const subject = value(context);
    if (isUnknown(subject)) return subject;
    if (!isTruthy(subject)) return inverse(context);
    return program(inside(context, { context: subject, parameters: [subject], data: undefined }));
  };
}

function eachBlock(value: Evaluate, program: Evaluate, inverse: Evaluate, offset: number): Evaluate {
  return (context) => {
    const subject = value(context);
    if (isUnknown(subject)) return subject;
    const keys = keysToVisit(subject);
    if (!keys) {
      const message = `\`#each\` needs a list or a mapping, not ${aKindOf(subject)}`;
      throw new Fault('template-value', offset, message);
    }
    if (keys.length === 0) return inverse(context);
    let text = '';
    for (const [index, key] of keys.entries()) {
      const item = readMember(subject, key) ?? null;
      const data = { index, key, first: index === 0, last: index === keys.length - 1 };
      const piece = program(inside(context, { context: item, parameters: [item, key], data }));
      if (isUnknown(piece)) return piece;
      text += piece;
    }
    return text;
  };
}

function keysToVisit(subject: unknown): (string | number)[] | undefined {
  if (Array.isArray(subject)) return [...subject.keys()];
  if (subject instanceof LazyMapping) return [...subject.names()];
  return isMapping(subject) ? Object.keys(subject) : undefined;
}

function inside(context: RenderContext, frame: Omit<Frame, 'parent'>): RenderContext {
  return { ...context, frame: { parent: context.frame, ...frame } };
}
