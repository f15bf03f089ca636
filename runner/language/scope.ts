import { EXIT, ReeveError } from '../errors.ts';
import { Definition } from './definition.ts';
import { LazyMapping, type Scope } from './lazy.ts';

export { LazyMapping, lazyMapping } from './lazy.ts';

/**
 * Where names come from: a plain object whose values are data (registers, facts, `-e`: never rendered) or `Definition`s
 * (variables that people wrote: rendered when first used), mixed as they come; or another source of names.
 */
export type Layer = Readonly<Record<string, unknown>> | LazyMapping;

interface Resolving {
  scope: LayeredScope;
  name: string;
  definition: Definition;
}

// Rendering is synchronous, so one stack serves all scopes; it must be one, since a cycle can lead through several hosts.
const resolving: Resolving[] = [];

/**
 * Layers of names, the strongest first: `layeredScope([taskVars, registers, hostVars, groupVars])`. Definitions are
 * rendered against the whole scope, so a stronger layer also changes what weaker ones make of it. Layers are shared
 * and never copied; only what was rendered is kept per scope. `vars` is the scope itself, for names that expressions
 * cannot write at the root (`vars.namespace`), unless a layer defines it.
 */
export function layeredScope(layers: readonly Layer[]): LayeredScope {
  return new LayeredScope(layers);
}

export class LayeredScope extends LazyMapping implements Scope {
  readonly layers: readonly Layer[];
  readonly #rendered = new Map<string, unknown>();

  constructor(layers: readonly Layer[]) {
    super();
    this.layers = layers;
  }

  /** A new scope with stronger layers on top of this one's. Nothing rendered here is reused, since it may differ there. */
  extend(...stronger: Layer[]): LayeredScope {
    return new LayeredScope([...stronger, ...this.layers]);
  }

  override has(name: string): boolean {
    return this.layers.some((layer) => hasName(layer, name)) || name === 'vars';
  }

  override *names(): Iterable<string> {
    const seen = new Set<string>();
    for (const layer of this.layers) {
      for (const name of layer instanceof LazyMapping ? layer.names() : Object.keys(layer)) {
        if (seen.has(name)) continue;
        seen.add(name);
        yield name;
      }
    }
  }

  /**
   * @throws ReeveError `variable-cycle` when a definition needs itself; whatever rendering a definition or a lazy
   * layer throws.
   */
  override get(name: string): unknown {
    const found = this.find(name);
    if (!(found instanceof Definition)) return found === undefined && name === 'vars' ? this : found;
    if (this.#rendered.has(name)) return this.#rendered.get(name);
    const compiled = found.compiled;
    const value = compiled.isStatic ? compiled.render(this) : this.#render(name, found);
    this.#rendered.set(name, value);
    return value;
  }

  /** What stands behind a name, unrendered: a `Definition` or data. For `inventory --host` and the validator. */
  find(name: string): unknown {
    for (const layer of this.layers) {
      if (!hasName(layer, name)) continue;
      const value = layer instanceof LazyMapping ? layer.get(name) : layer[name];
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #render(name: string, definition: Definition): unknown {
    const start = resolving.findIndex((entry) => entry.scope === this && entry.name === name);
    if (start >= 0) throw cycleError(resolving.slice(start), name);
    resolving.push({ scope: this, name, definition });
    try {
      return definition.compiled.render(this);
    } finally {
      resolving.pop();
    }
  }
}

function hasName(layer: Layer, name: string): boolean {
  return layer instanceof LazyMapping ? layer.has(name) : Object.hasOwn(layer, name);
}

function cycleError(trail: Resolving[], name: string): ReeveError {
  const names = [...trail.map((entry) => entry.name), name].join(' → ');
  return new ReeveError('variable-cycle', `variables that need each other have no value: ${names}`, {
    place: trail[0]!.definition.where,
    hint: 'give one of them a value that does not refer to the others',
    related: trail.map((entry) => ({ message: `\`${entry.name}\` is defined here`, place: entry.definition.where })),
    exitCode: EXIT.invalid,
  });
}
