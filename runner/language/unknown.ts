/**
 * A value that depends on a change which has not been made yet (check mode). Whatever touches it becomes unknown too;
 * it is never guessed and never an error.
 */
export class Unknown {
  /** Half a sentence for people: "task 'install k3s' has not run". */
  readonly because: string;

  constructor(because: string) {
    this.because = because;
  }
}

/** True when the value itself is unknown. */
export function isUnknown(value: unknown): value is Unknown {
  return value instanceof Unknown;
}

/** The first unknown leaf at any depth of a mapping or list, or undefined when all of it is known. */
export function findUnknown(value: unknown): Unknown | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Unknown) return value;
  const prototype = Object.getPrototypeOf(value);
  const isTree = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isTree) return undefined;
  for (const child of Object.values(value)) {
    const found = findUnknown(child);
    if (found) return found;
  }
  return undefined;
}

/** True when the value is unknown or holds an unknown leaf at any depth. */
export function containsUnknown(value: unknown): boolean {
  return findUnknown(value) !== undefined;
}
