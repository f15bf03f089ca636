import type { AnyModule } from '../runner/module.ts';
import { assert } from './control/assert.ts';
import { debug } from './control/debug.ts';
import { fail } from './control/fail.ts';
import { setVars } from './control/set-vars.ts';
import { copy } from './files/copy.ts';
import { command } from './system/command.ts';
export const modules: ReadonlyMap<string, AnyModule> = new Map<string, AnyModule>([assert, debug, fail, setVars, copy, command].map((m) => [m.name, m]));
