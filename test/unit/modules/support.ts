/** What the tests of modules that need no host share. */
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import type { AnyModule, ReadTarget } from '../../../runner/module.ts';

/** Arguments as plan gets them: validated against the module's schema, defaults filled in. Throws on the first error. */
export function fillArgs<M extends AnyModule>(module: M, given: Record<string, unknown>): Parameters<M['plan']>[0] {
  const args = structuredClone(given);
  const ajv = new Ajv({ useDefaults: true, strict: false });
  if (!ajv.validate(module.args, args)) throw new Error(ajv.errorsText());
  const complaint = module.check?.(args);
  if (complaint !== undefined) throw new Error(complaint);
  return args as Parameters<M['plan']>[0];
}

/** The arguments that an example of a module's docs stands for, a shorthand spelt out. */
export function exampleArgs(module: AnyModule, yaml: string): Record<string, unknown> {
  const task = parse(yaml) as Record<string, unknown>;
  const value = task[module.name];
  if (!(module.name in task) || Object.keys(task).length !== 1) throw new Error(`not one ${module.name}: ${yaml}`);
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  return value === null ? {} : { [module.shorthand!]: value };
}

/** A target that has what a module on the control machine asks for; everything else throws. */
export function controlTarget(over: Partial<ReadTarget> = {}): ReadTarget {
  const known: Partial<ReadTarget> = {
    host: { name: 'k3s-1', address: '127.0.0.1', groups: [] },
    progress: () => {},
    warn: () => {},
    secret: (value) => value,
    sleep: async () => {},
    remaining: () => 60_000,
    signal: new AbortController().signal,
    ...over,
  };
  return new Proxy(known as ReadTarget, {
    get(target, name) {
      if (name in target || name === 'ask' || name === 'dropConnection' || name === 'then')
        return Reflect.get(target, name);
      throw new Error(`a module of the control machine asked for ${String(name)}`);
    },
  });
}
