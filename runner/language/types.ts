/** The types of the language in one place, for layers that carry compiled forms around. */
export type { Compiled } from './deep.ts';
export type { Definition } from './definition.ts';
export type { Expression } from './expression.ts';
export type { Scope } from './lazy.ts';
export type { Reference } from './reference.ts';
