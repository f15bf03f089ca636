import type { Scope } from './lazy.ts';

/** What a block such as `#each` puts around its text at run time. */
export interface Frame {
  parent: Frame | undefined;
  /** `this` inside the block. */
  context: unknown;
  /** Values of the block's parameters, in their order. */
  parameters: unknown[];
  /** `@index`, `@key`, `@first`, `@last`; none inside `#with`. */
  data: Record<string, unknown> | undefined;
}

/** All that a compiled template needs to be rendered. */
export interface RenderContext {
  scope: Scope;
  frame: Frame | undefined;
}

/** The same blocks as the compiler sees them: enough to know which names are bound and which come from the scope. */
export interface StaticFrame {
  parent: StaticFrame | undefined;
  parameters: string[];
  hasData: boolean;
}

export type Evaluate = (context: RenderContext) => unknown;

export function outerFrame(frame: Frame | undefined, levels: number): Frame | undefined {
  let outer = frame;
  for (let level = 0; level < levels; level++) outer = outer?.parent;
  return outer;
}
