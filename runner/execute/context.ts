import type { Layer } from '../language/scope.ts';
import type { Compiled } from '../language/types.ts';
import type { Inherited, Play, StepBase } from '../playbook/model.ts';
import type { HostState } from './host-state.ts';
import type { RunState } from './run-state.ts';
import type { Sources } from './sources.ts';

/** What one play keeps while it runs. */
export interface PlayState {
  play: Play;
  index: number;
  /** Results of run_once tasks by instance id: what every host of the play gets. */
  once: Map<string, Promise<OnceResult>>;
  /** Hosts of the batch that failed for good. */
  lost: Set<HostState>;
  /** Set when failures must stop every host of the batch. */
  aborted: boolean;
}

export interface OnceResult {
  register?: { name: string; value: unknown };
  variables?: Record<string, unknown>;
  failed: 'failed' | 'unreachable' | undefined;
  /** No host was willing. */
  skipped: boolean;
}

/** Where a step is run: everything around it. */
export interface StepContext {
  run: RunState;
  playState: PlayState;
  batch: number;
  /** The hosts of the batch: shares of failures are counted in them. */
  hosts: readonly HostState[];
  section: string;
  /** vars of the steps around, the innermost first, ending with the play's. */
  vars: readonly Layer[];
  locals: Readonly<Record<string, unknown>>;
  inherited: Effective;
  /** Appended to ids inside a looped block: `#2`. */
  suffix: string;
  /** True where a rescue or a further try of a block may still save a failed host. */
  rescuable: boolean;
  /** True inside an `always`, which runs to its end although failures have ended the play. */
  cleaning: boolean;
  sources: Sources;
}

export function newPlayState(play: Play, index: number): PlayState {
  return { play, index, once: new Map(), lost: new Set(), aborted: false };
}

/** Inherited settings after everything around a step has spoken. */
export type Effective = Omit<Inherited, 'vars' | 'tags'> & {
  tags: readonly string[];
  notify: readonly Compiled[];
  /** Environments, the outermost first: inner ones win name by name. */
  environments: readonly Compiled[];
};

export const NOTHING_INHERITED: Effective = { tags: [], notify: [], environments: [] };

/** The settings inside `inner`, which stands inside what `outer` describes. */
export function inherit(outer: Effective, inner: Inherited & Partial<Pick<StepBase, 'notify'>>): Effective {
  const { vars: _, tags, environment, notify, ...rest } = inner;
  const said = Object.fromEntries(
    Object.entries(rest).filter(([name, value]) => value !== undefined && INHERITED.has(name)),
  );
  return {
    ...outer,
    ...said,
    tags: [...outer.tags, ...tags],
    notify: [...outer.notify, ...(notify ?? [])],
    environments: environment ? [...outer.environments, environment] : outer.environments,
  };
}

const INHERITED = new Set<string>([
  'become',
  'becomeUser',
  'becomeMethod',
  'ignoreErrors',
  'noLog',
  'checkMode',
  'diff',
  'throttle',
  'timeout',
  'delegateTo',
  'runOnce',
] satisfies (keyof Inherited)[]);

/** Whether `--tags` and `--skip-tags` let a step with these tags run; `always` and `never` mean what they mean in Ansible. */
export function selectedByTags(
  tags: readonly string[],
  wanted: readonly string[],
  skipped: readonly string[],
): boolean {
  const hit = (list: readonly string[]) =>
    tags.some((tag) => list.includes(tag)) || (tags.length > 0 && list.includes('tagged'));
  if (hit(skipped) || (tags.length === 0 && skipped.includes('untagged'))) return false;
  if (tags.includes('never')) return hit(wanted);
  if (wanted.length === 0 || wanted.includes('all') || tags.includes('always')) return true;
  return hit(wanted) || (tags.length === 0 && wanted.includes('untagged'));
}
