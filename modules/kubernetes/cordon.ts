import { defineModule } from '../../runner/module.ts';
import {
  type Cordon,
  cordonAsFound,
  cordonFor,
  cordonKey,
  foreseenCordon,
  putCordon,
  uncordon,
} from '../shared/kube-cordon.ts';
import { readNode } from '../shared/kube-objects.ts';

interface Next {
  node: string;
  wanted: 'cordoned' | 'uncordoned';
  onlyOwn: boolean;
}

interface Undo {
  node: string;
  found: Cordon;
}

export const cordon = defineModule({
  name: 'cordon',
  description: 'Keeps a node closed (cordoned) or open (uncordoned) for new pods.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      node: { type: 'string', minLength: 1, description: 'Name of the node; default: the host’s own.' },
      state: {
        type: 'string',
        enum: ['cordoned', 'uncordoned'],
        default: 'cordoned',
        description: 'Whether the node is closed or open for new pods.',
      },
      only_own: {
        type: 'boolean',
        default: false,
        description: 'With uncordoned: leave a cordon that no run of reeve made.',
      },
    },
  },
  shorthand: 'state',
  examples: [
    { title: 'Close a node for new pods', yaml: 'cordon: cordoned' },
    { title: 'Open it again, unless an operator closed it', yaml: 'cordon: { state: uncordoned, only_own: true }' },
  ],
  kind: 'state',
  on: 'cluster',
  returns: {
    type: 'object',
    properties: {
      node: { type: 'string', description: 'Name of the node.' },
      cordoned: { type: 'boolean', description: 'Whether it is closed for new pods.' },
      own: { type: 'boolean', description: 'Whether a run of reeve closed it.' },
      was_cordoned: { type: 'boolean', description: 'Whether it was closed before this task.' },
    },
  },
  notes:
    'A cordon that a run makes carries the run’s id in the annotation `reeve.dev/cordoned-by`, so that a later run can ' +
    'tell it from an operator’s. One made with `reeve exec` is an operator’s.',
  async plan({ node: named, state, only_own: onlyOwn }, target) {
    const node = named ?? target.nodeName;
    const found = foreseenCordon(node, await readNode(await target.cluster(), node), target);
    if (!found.cordoned) target.nodeIsWell(node, 'cordon');
    const goal = state === 'cordoned' ? cordonFor(target)(found) : uncordon(onlyOwn)(found);
    const facts = factsOf(node, found, found);
    const kept = state === 'uncordoned' && found.cordoned && goal === undefined;
    if (goal === undefined || goal.cordoned === found.cordoned) {
      const message = kept ? `${node} was cordoned by an operator and stays so` : `${node} is already ${state}`;
      return { changes: [], facts, message };
    }
    return {
      changes: [{ summary: `${node}: ${state}`, before: wordOf(found), after: state }],
      facts,
      predicted: factsOf(node, goal, found),
      foresees: { [cordonKey(node)]: goal.cordoned },
      next: { node, wanted: state, onlyOwn },
      undo: { node, found } satisfies Undo,
    };
  },
  async apply({ node, wanted, onlyOwn }: Next, target) {
    const cluster = await target.cluster();
    // Said before it is done: a run that dies in between must not leave a cordon that nobody knows of.
    if (wanted === 'cordoned') target.nodeState(node, 'cordoned', 'cordon');
    const goal = wanted === 'cordoned' ? cordonFor(target) : uncordon(onlyOwn);
    const found = await putCordon(cluster, node, goal);
    if (wanted === 'uncordoned') target.nodeState(node, undefined, 'cordon');
    return { facts: factsOf(node, goal(found) ?? found, found), undo: { node, found } satisfies Undo };
  },
  async undo({ node, found }: Undo, target) {
    if (found.cordoned) target.nodeState(node, 'cordoned', 'cordon');
    await putCordon(await target.cluster(), node, cordonAsFound(found, target.runId));
    if (!found.cordoned) target.nodeState(node, undefined, 'cordon');
  },
});

function wordOf({ cordoned }: Cordon): string {
  return cordoned ? 'cordoned' : 'uncordoned';
}

function factsOf(node: string, now: Cordon, before: Cordon): Record<string, unknown> {
  return { node, cordoned: now.cordoned, own: now.by !== undefined, was_cordoned: before.cordoned };
}
