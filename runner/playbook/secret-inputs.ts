import type { InputSpec } from './model.ts';

/** What of an input's value nobody may see: all of it, or the members that its schema calls secret. */
export function secretsIn(spec: InputSpec, value: unknown): unknown[] {
  if (spec.secret) return [value];
  return members(spec, value).flatMap(([name, inner]) => secretsIn(inner, (value as Record<string, unknown>)[name]));
}

/** The value as it may be shown. */
export function withoutSecrets(spec: InputSpec | undefined, value: unknown, mask: string): unknown {
  if (spec?.secret) return mask;
  const inside = spec ? members(spec, value) : [];
  if (inside.length === 0) return value;
  const shown = { ...(value as Record<string, unknown>) };
  for (const [name, inner] of inside) shown[name] = withoutSecrets(inner, shown[name], mask);
  return shown;
}

/** The schemas of the members that a mapping has. */
function members({ properties }: InputSpec, value: unknown): [string, InputSpec][] {
  if (!properties || value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(properties as Record<string, InputSpec>).filter(([name]) => Object.hasOwn(value, name));
}
