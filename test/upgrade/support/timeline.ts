import type { Node } from '../../lab/api/objects.ts';
import type { Lab } from '../../lab/lab.ts';

/** What happened to the nodes of a lab, in order: `cordoned NODE`, `opened NODE`, `NODE runs VERSION`. */
export interface Timeline {
  readonly steps: string[];
  /** The most nodes that were cordoned at one moment. */
  readonly mostCordoned: number;
}

/** Follows the API's own state, so that nothing depends on what the run says of itself. */
export function follow(lab: Lab): Timeline {
  const cordoned = new Set(
    lab.api.state
      .list<Node>('nodes')
      .filter(({ spec }) => spec.unschedulable)
      .map(({ metadata }) => metadata.name),
  );
  const timeline = { steps: [] as string[], mostCordoned: cordoned.size };
  lab.api.state.subscribe(({ object, previous }) => {
    if (object.kind !== 'Node') return;
    const { name } = object.metadata;
    const [now, before] = [object as Node, previous as Node | undefined];
    const closed = now.spec.unschedulable === true;
    if (closed !== (before?.spec.unschedulable === true)) {
      timeline.steps.push(`${closed ? 'cordoned' : 'opened'} ${name}`);
      if (closed) cordoned.add(name);
      else cordoned.delete(name);
      timeline.mostCordoned = Math.max(timeline.mostCordoned, cordoned.size);
    }
    const version = versionOf(now);
    if (before && version !== versionOf(before)) timeline.steps.push(`${name} runs ${version}`);
  });
  return timeline;
}

function versionOf(node: Node): string {
  return node.status?.nodeInfo?.kubeletVersion ?? '';
}

/** Version of every node, by name. */
export function versions(lab: Lab): Record<string, string> {
  return Object.fromEntries(lab.api.state.list<Node>('nodes').map((node) => [node.metadata.name, versionOf(node)]));
}

/** Names of the nodes that are closed for new pods. */
export function cordonedNodes(lab: Lab): string[] {
  const nodes = lab.api.state.list<Node>('nodes').filter(({ spec }) => spec.unschedulable === true);
  return nodes.map(({ metadata }) => metadata.name);
}
