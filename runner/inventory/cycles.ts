import type { Diagnostic } from '../errors.ts';
import type { InventoryBuilder } from './builder.ts';

/** Finds groups that contain themselves; `all` contains every group. */
export function findCycles(builder: InventoryBuilder): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const onTrail = new Set<string>();
  const report = (names: string[]) => {
    const place = builder.groups.get(names[0]!)?.place?.();
    const message = `groups contain each other: ${names.join(' → ')}`;
    diagnostics.push({ code: 'group-cycle', severity: 'error', message, ...(place ? { place } : {}) });
  };
  const visit = (name: string): void => {
    if (onTrail.has(name)) {
      report([...trail.slice(trail.indexOf(name)), name]);
      return;
    }
    if (done.has(name)) return;
    trail.push(name);
    onTrail.add(name);
    for (const child of builder.groups.get(name)?.children ?? []) visit(child);
    onTrail.delete(name);
    trail.pop();
    done.add(name);
  };
  for (const name of builder.groups.keys()) visit(name);
  if (diagnostics.length > 0) return diagnostics;
  for (const group of builder.groups.values()) if (group.children.has('all')) report([group.name, 'all', group.name]);
  return diagnostics;
}
