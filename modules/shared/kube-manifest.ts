import type { KubeObject, ReadTarget } from '../../runner/module.ts';

/** Members that the server keeps for itself: they differ between two looks at the same object. */
const OWN_METADATA = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink'];

/** What a person would have written: without status and what the server keeps for itself. */
export function essence(object: KubeObject): KubeObject {
  const { status: _, metadata, ...rest } = object;
  const kept = Object.entries(metadata ?? {}).filter(([name]) => !OWN_METADATA.includes(name));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** Text of an object with its keys in order, so that two of them can be compared and shown as a diff. */
export function manifestText(object: KubeObject): string {
  return `${JSON.stringify(sorted(object), undefined, 2)}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member)]));
}

/** Marks the values of a Secret as secret, encoded and plain. */
export function hideValues(object: KubeObject, target: ReadTarget): void {
  if (object.kind !== 'Secret') return;
  for (const value of Object.values<string>(object.data ?? {})) {
    target.secret(value);
    target.secret(Buffer.from(value, 'base64').toString('utf8'));
  }
  for (const value of Object.values<string>(object.stringData ?? {})) target.secret(value);
}
