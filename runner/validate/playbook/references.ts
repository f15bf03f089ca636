import type { Diagnostic, Place } from '../../errors.ts';
import { didYouMean } from '../../language/nearest.ts';
import type { Reference } from '../../language/types.ts';
import type { JsonSchema } from '../../schema-types.ts';
import type { Names } from './names.ts';

export interface ReferenceRules {
  /** Without an inventory a name may still be one of its variables: a warning, not an error. */
  hasInventory: boolean;
}

/** Checks that a name is known, and its members as far as their shape is. */
export function checkReference(reference: Reference, names: Names, rules: ReferenceRules): Diagnostic | undefined {
  if (reference.optional) return undefined;
  const isVars = reference.path[0] === 'vars' && names.shape('vars') === undefined;
  const path = isVars ? reference.path.slice(1) : reference.path;
  const [root, ...members] = path;
  if (root === undefined) return undefined;
  const shape = names.shape(root);
  if (shape?.unusable) return { ...shape.unusable, place: isVars ? reference.place : wholeName(reference, root) };
  if (shape) return checkMembers(reference, shape, [root], members);
  const missing = undefinedName(root, reference, names, rules);
  // `vars.name` stands where `vars` does.
  return isVars ? missing : { ...missing, place: wholeName(reference, root) };
}

function wholeName({ place }: Reference, root: string): Place {
  return { ...place, endColumn: place.column + root.length };
}

/** Names that come from where something stands, never from an inventory. */
const PLACED: Record<string, string> = {
  item: '`item` is there inside a `loop`',
  index: '`index` is there inside a `loop`',
  batch: '`batch` is there in the tasks of a `gate`',
  result: 'the result of a task has the name that `register` gives it',
};

function undefinedName(root: string, reference: Reference, names: Names, rules: ReferenceRules): Diagnostic {
  const isInput = Object.hasOwn(names.shape('inputs')?.properties ?? {}, root);
  const placed = Object.hasOwn(PLACED, root) ? PLACED[root] : undefined;
  const sure = rules.hasInventory || isInput || placed !== undefined;
  const diagnostic: Diagnostic = {
    code: 'undefined-variable',
    severity: sure ? 'error' : 'warning',
    message: `\`${root}\` is not defined here${sure ? '' : '; only with an inventory can it be said whether hosts have it'}`,
    place: reference.place,
  };
  const hint = isInput ? `it is an input: write \`inputs.${root}\`` : (placed ?? didYouMean(root, names.all()));
  if (hint) diagnostic.hint = hint;
  return diagnostic;
}

const MEMBER_KINDS = new Map([
  ['inputs', { code: 'unknown-input', kind: 'input' }],
  ['hosts', { code: 'unknown-host', kind: 'host of the inventory' }],
  ['groups', { code: 'unknown-group', kind: 'group of the inventory' }],
]);

function checkMembers(
  reference: Reference,
  shape: JsonSchema,
  done: readonly string[],
  members: readonly string[],
): Diagnostic | undefined {
  const [member, ...rest] = members;
  if (member === undefined) return undefined;
  if (shape.type === 'array') {
    return shape.items && /^\d+$/.test(member)
      ? checkMembers(reference, shape.items, [...done, member], rest)
      : undefined;
  }
  const known = shape.properties ?? {};
  if (Object.hasOwn(known, member)) return checkMembers(reference, known[member]!, [...done, member], rest);
  return isClosed(shape) ? unknownMember(reference, done, member, shape) : undefined;
}

function unknownMember(reference: Reference, done: readonly string[], member: string, shape: JsonSchema): Diagnostic {
  const special = done.length === 1 ? MEMBER_KINDS.get(done[0]!) : undefined;
  const known = Object.keys(shape.properties ?? {});
  return {
    code: special?.code ?? 'unknown-member',
    severity: 'error',
    message: special ? `there is no ${special.kind} \`${member}\`` : `\`${done.join('.')}\` has no \`${member}\``,
    place: reference.place,
    hint: hintFor(member, known, shape),
  };
}

function hintFor(member: string, known: string[], shape: JsonSchema): string {
  const nearest = didYouMean(member, known);
  if (nearest) return nearest;
  const perItem = shape.properties?.results?.items?.properties;
  if (perItem && Object.hasOwn(perItem, member)) return `the task has a loop: write \`results[0].${member}\``;
  return known.length === 0 ? 'there are none' : `it has: ${known.slice(0, 20).join(', ')}`;
}

/** A schema that lists members and does not say that there may be others. */
function isClosed(shape: JsonSchema): boolean {
  if (shape.additionalProperties === false) return true;
  return shape.additionalProperties === undefined && Object.keys(shape.properties ?? {}).length > 0;
}
