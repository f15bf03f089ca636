import type { Diagnostic } from '../../errors.ts';
import type { Definitions } from '../../playbook/model.ts';
import { referencesOf } from './definition-references.ts';
import type { Subject } from './scopes.ts';
import { stepsOf } from './walk.ts';

/** Reports variables that need themselves, on every level where they would be resolved. */
export function checkCycles({ playbook }: Subject): Diagnostic[] {
  const search = new CycleSearch();
  search.look(playbook.vars);
  for (const play of playbook.plays) {
    const inPlay = { ...playbook.vars, ...play.vars };
    search.look(inPlay);
    for (const step of stepsOf(play)) if (Object.keys(step.vars).length > 0) search.look({ ...inPlay, ...step.vars });
  }
  return search.found;
}

/** Collects the cycles of several sets of definitions, each cycle once. */
export class CycleSearch {
  readonly found: Diagnostic[] = [];
  readonly #reported = new Set<string>();

  look(definitions: Definitions): void {
    const done = new Set<string>();
    const visit = (name: string, way: string[]): void => {
      const start = way.indexOf(name);
      if (start !== -1) this.#report(way.slice(start), definitions);
      if (start !== -1 || done.has(name) || !Object.hasOwn(definitions, name)) return;
      for (const next of namesUsed(definitions[name]!)) visit(next, [...way, name]);
      done.add(name);
    };
    for (const name of Object.keys(definitions)) visit(name, []);
  }

  #report(cycle: string[], definitions: Definitions): void {
    const key = [...cycle].sort().join(' ');
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    const [first, ...others] = cycle as [string, ...string[]];
    const sentence =
      cycle.length === 1 ? `\`${first}\` is defined by itself` : `\`${[...cycle, first].join('` needs `')}\``;
    this.found.push({
      code: 'variable-cycle',
      severity: 'error',
      message: `these variables need each other: ${sentence}`.replace(/^these.*?: (.* is defined by itself)$/, '$1'),
      place: definitions[first]!.where,
      hint:
        cycle.length === 1
          ? 'a variable cannot extend the one of the same name outside it; give it another name'
          : undefined,
      related: others.map((name) => ({ message: `\`${name}\` is here`, place: definitions[name]!.where })),
    } as Diagnostic);
  }
}

function namesUsed(definition: Definitions[string]): string[] {
  return referencesOf(definition).map(({ path }) => (path[0] === 'vars' ? (path[1] ?? 'vars') : path[0]!));
}
