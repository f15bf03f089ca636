import type { ErrorObject } from 'ajv';

/** True for text with a template in it: before rendering it may stand for a value of any type. */
function holdsTemplate(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}

/**
 * Reduces what ajv reports to the errors a person needs. An `anyOf` or `oneOf` that fails makes ajv report every branch;
 * kept are the errors of the branch that fits best, or the one error that names all of them. With `templates`, text
 * that holds a template is accepted wherever it stands.
 */
export function collapseErrors(errors: readonly ErrorObject[], templates: boolean): ErrorObject[] {
  let left = templates ? errors.filter((error) => !holdsTemplate(error.data) || isAboutKeys(error)) : [...errors];
  // Inner unions are reported before the ones around them.
  for (const union of errors.filter(isUnion)) {
    if (!left.includes(union)) continue;
    left = collapseUnion(union, left);
  }
  return left.filter((error) => !isSaidByFormat(error, left));
}

/** Text of another format need not be told of its pattern too. */
function isSaidByFormat(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  if (error.keyword !== 'pattern') return false;
  return errors.some(
    ({ keyword, instancePath, parentSchema }) =>
      keyword === 'format' && instancePath === error.instancePath && parentSchema === error.parentSchema,
  );
}

function isUnion(error: ErrorObject): boolean {
  return error.keyword === 'anyOf' || error.keyword === 'oneOf';
}

function isAboutKeys(error: ErrorObject): boolean {
  return error.keyword === 'additionalProperties' || error.keyword === 'required';
}

function collapseUnion(union: ErrorObject, errors: ErrorObject[]): ErrorObject[] {
  // Items of one list share their schema: only what is at the same place in the data belongs to this union.
  const inside = errors.filter(
    (error) => error !== union && error.schemaPath.startsWith(`${union.schemaPath}/`) && belongs(error, union),
  );
  const others = errors.filter((error) => error !== union && !inside.includes(error));
  // A oneOf that matched several branches has no errors inside.
  if (Array.isArray(union.params.passingSchemas)) return [...others, union];
  const branches = (union.schema as unknown[]).map((_branch, index) =>
    inside.filter((error) => error.schemaPath.startsWith(`${union.schemaPath}/${index}/`)),
  );
  // Every branch failed; one without errors left failed only over templates, and may well fit once they are rendered.
  // (Or it is a reference, whose errors have schema paths of their own: then the union keeps its one error.)
  if (branches.some((branch) => branch.length === 0)) return hadTemplates(union) ? others : [...others, union];
  const fitting = branches.filter((branch) => !branch.some((error) => isTypeError(error, union)));
  if (fitting.length === 0) return [...others, union];
  const best = fitting.reduce((a, b) => (b.length < a.length ? b : a));
  return [...others, ...best];
}

/** An error at the same place in the data, or below it. */
function belongs(error: ErrorObject, union: ErrorObject): boolean {
  return error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
}

/** The branch wants another kind of value altogether: it says nothing about what is wrong with this one. */
function isTypeError(error: ErrorObject, union: ErrorObject): boolean {
  return error.instancePath === union.instancePath && ['type', 'enum', 'const'].includes(error.keyword);
}

function hadTemplates(union: ErrorObject): boolean {
  return JSON.stringify(union.data ?? null).includes('{{');
}
