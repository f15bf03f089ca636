import type { RunEvent } from '../events.ts';
import type { RunState } from './run-state.ts';

/** The nodes that are not as they should be, as the last word about each says. */
export function nodesSoFar(events: readonly RunEvent[]): RunState['nodes'] {
  const nodes: RunState['nodes'] = new Map();
  for (const event of events) {
    if (event.type !== 'node-state') continue;
    const aspects = new Map(Object.entries(event.aspects ?? {}));
    if (aspects.size > 0) nodes.set(event.node, aspects);
    else nodes.delete(event.node);
  }
  return nodes;
}

/** Remembers one aspect of a node, and tells it; undefined: it is as it should be. */
export function setNodeState(run: RunState, node: string, aspect: string, state: string | undefined): void {
  const aspects = run.nodes.get(node) ?? new Map<string, string>();
  if (state === undefined) aspects.delete(aspect);
  else aspects.set(aspect, state);
  if (aspects.size === 0) run.nodes.delete(node);
  else run.nodes.set(node, aspects);
  run.emitter.emit({
    ...{ type: 'node-state', node, state: nodeStateText(run.nodes.get(node)) ?? 'as it should be' },
    aspects: Object.fromEntries(aspects),
  });
}

/** All that is not as it should be about one node, as one text. */
export function nodeStateText(aspects: ReadonlyMap<string, string> | undefined): string | undefined {
  return aspects && [...aspects.values()].join('; ');
}
