import type { AnyModule } from '../module.ts';

/** The modules by name, as `modules/index.ts` lists them. */
export type Registry = ReadonlyMap<string, AnyModule>;
