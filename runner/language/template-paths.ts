import { aKindOf, kindOf, memberNames, readMember } from './access.ts';
import { Fault } from './fault.ts';
import type { Scope } from './lazy.ts';
import { didYouMean } from './nearest.ts';
import type { OffsetReference } from './reference.ts';
import { type Evaluate, outerFrame, type RenderContext, type StaticFrame } from './template-scope.ts';
import { isUnknown } from './unknown.ts';

/** How the value of a path that is not defined is treated: as an error, or as `undefined`. */
export interface PathOptions {
  offset: number;
  optional: boolean;
  frames: StaticFrame | undefined;
  references: OffsetReference[];
}

const DATA_NAMES = ['index', 'key', 'first', 'last', 'root'];

/**
 * A function that reads a path such as `host.name`, `this.x`, `../y`, `@index`; the root names it uses are added to
 * `options.references`.
 * @throws Fault for a path that can never have a value.
 */
export function compilePath(path: hbs.AST.PathExpression, options: PathOptions): Evaluate {
  if (path.data) return compileDataPath(path, options);
  const bound = path.depth === 0 && !isScoped(path) ? findParameter(path.parts[0], options.frames) : undefined;
  if (bound) {
    const start: Evaluate = (context) => outerFrame(context.frame, bound.levels)?.parameters[bound.position];
    return memberReader(start, path.parts.slice(1), path.parts[0]!, options);
  }
  if (path.depth > depthOf(options.frames)) {
    const message = `\`${path.original}\` reaches out of more blocks than there are`;
    throw new Fault('template-syntax', options.offset, message, 'one `../` leaves one `#each` or `#with`');
  }
  if (path.depth === depthOf(options.frames)) return compileRootPath(path.parts, path.original, options);
  const start: Evaluate = (context) => outerFrame(context.frame, path.depth)?.context;
  return memberReader(start, path.parts, isScoped(path) || path.depth > 0 ? path.original : 'this', options);
}

function compileDataPath(path: hbs.AST.PathExpression, options: PathOptions): Evaluate {
  const [name, ...rest] = path.parts;
  if (name === 'root' && path.depth === 0) return compileRootPath(rest, path.original, options);
  if (name === undefined || !DATA_NAMES.includes(name)) {
    const hint = didYouMean(name ?? '', DATA_NAMES) ?? 'there are `@index`, `@key`, `@first`, `@last` and `@root`';
    throw new Fault('undefined-variable', options.offset, `\`${path.original}\` is not defined`, hint);
  }
  let frame = options.frames;
  let levels = 0;
  for (let left = path.depth; frame && (left > 0 || !frame.hasData); frame = frame.parent, levels++) {
    if (frame.hasData) left--;
  }
  if (!frame) {
    const message = `\`${path.original}\` has a value inside \`{{#each}}\` only`;
    throw new Fault('undefined-variable', options.offset, message);
  }
  return memberReader((context) => outerFrame(context.frame, levels)?.data, path.parts, '@', options);
}

function compileRootPath(parts: string[], original: string, options: PathOptions): Evaluate {
  const [root, ...rest] = parts;
  if (root === undefined) {
    const message = `\`${original}\` here stands for all variables at once; name the one that is meant`;
    throw new Fault('template-syntax', options.offset, message);
  }
  options.references.push({ path: parts, optional: options.optional, offset: options.offset });
  const readRoot: Evaluate = ({ scope }) => {
    const value = scope.get(root);
    if (value !== undefined || options.optional) return value;
    throw undefinedName(root, scope, options.offset);
  };
  return memberReader(readRoot, rest, root, options);
}

function memberReader(start: Evaluate, parts: string[], name: string, options: PathOptions): Evaluate {
  if (parts.length === 0) return start;
  return (context) => {
    let value = start(context);
    for (const [index, part] of parts.entries()) {
      if (isUnknown(value)) return value;
      const member = readMember(value, part);
      if (member === undefined) {
        if (options.optional) return undefined;
        const parent = index === 0 ? name : [name, ...parts.slice(0, index)].join('.');
        throw undefinedMember(value, part, parent, context, options);
      }
      value = member;
    }
    return value;
  };
}

/** The error for a root name that no layer of the scope has. */
export function undefinedName(name: string, scope: Scope, offset: number): Fault {
  const hint = didYouMean(name, scope.names()) ?? 'define it in `vars`, as an input or in the inventory';
  return new Fault('undefined-variable', offset, `\`${name}\` is not defined`, hint);
}

function undefinedMember(
  value: unknown,
  part: string,
  parent: string,
  context: RenderContext,
  options: PathOptions,
): Fault {
  const { message, hint } = describeMissing(value, part, parent);
  const reachesOut = parent === 'this' && context.scope.has(part);
  const outside = `inside this block write \`@root.${part}\` for the variable`;
  return new Fault('undefined-variable', options.offset, message, reachesOut ? outside : hint);
}

/** Why a value has no member of that name, for templates and expressions alike. */
export function describeMissing(value: unknown, part: string, parent: string): { message: string; hint?: string } {
  if (Array.isArray(value)) {
    if (!/^\d+$/.test(part)) return { message: `\`${parent}\` is a list; it has positions (\`[0]\`), no \`${part}\`` };
    const items = value.length === 1 ? '1 item' : `${value.length} items`;
    return { message: `\`${parent}\` has ${items}, so there is no \`[${part}]\`` };
  }
  if (kindOf(value) !== 'mapping') {
    return { message: `\`${parent}\` is ${aKindOf(value)}, so it has no \`${part}\`` };
  }
  const names = [...memberNames(value)];
  const listed =
    names.length > 0 && names.length <= 12 ? `it has ${names.map((n) => `\`${n}\``).join(', ')}` : undefined;
  const hint = didYouMean(part, names) ?? listed;
  return { message: `\`${parent}\` has no \`${part}\``, ...(hint === undefined ? {} : { hint }) };
}

function isScoped(path: hbs.AST.PathExpression): boolean {
  return /^(?:this\b(?!-)|\.)/.test(path.original) && path.parts.join('.') !== path.original;
}

function findParameter(name: string | undefined, frames: StaticFrame | undefined) {
  let levels = 0;
  for (let frame = frames; frame && name !== undefined; frame = frame.parent, levels++) {
    const position = frame.parameters.indexOf(name);
    if (position >= 0) return { levels, position };
  }
  return undefined;
}

function depthOf(frames: StaticFrame | undefined): number {
  let depth = 0;
  for (let frame = frames; frame; frame = frame.parent) depth++;
  return depth;
}
