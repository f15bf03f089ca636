import type { Reference } from '../../language/types.ts';
import type { Definitions } from '../../playbook/model.ts';

/** References of a definition; none when its templates have mistakes, which were reported when it was parsed. */
export function referencesOf(definition: Definitions[string]): readonly Reference[] {
  try {
    return definition.compiled.references;
  } catch {
    return [];
  }
}
