import { type ClusterWriter, type KubeObject, type ReadTarget, TaskFailure } from '../../runner/module.ts';
import { nodePath, objectIn, readNode, saidIn } from './kube-objects.ts';

/** Carries the id of the run that cordoned the node, so that the next run knows it from an operator's cordon. */
export const CORDONED_BY = 'reeve.dev/cordoned-by';

/** Node objects change with every status update; this many conflicts in a row are no coincidence. */
const CONFLICTS = 10;

export interface Cordon {
  cordoned: boolean;
  /** Id of the run that did it; undefined for an operator's cordon. */
  by?: string;
}

function cordonOf(node: KubeObject): Cordon {
  const cordoned = node.spec?.unschedulable === true;
  const by: string | undefined = node.metadata.annotations?.[CORDONED_BY];
  return cordoned && by !== undefined ? { cordoned, by } : { cordoned };
}

/** Under which a plan tells later ones, in check mode, whether the node will be cordoned. */
export function cordonKey(node: string): string {
  return `cordon/${node}`;
}

/** The node's cordon; in check mode as the tasks before will have left it. */
export function foreseenCordon(name: string, node: KubeObject, target: ReadTarget): Cordon {
  const foreseen = target.foreseen(cordonKey(name));
  const found = cordonOf(node);
  if (typeof foreseen !== 'boolean' || foreseen === found.cordoned) return found;
  return foreseen ? { cordoned: true, by: target.runId } : { cordoned: false };
}

/**
 * Brings a node to a cordon state, and says which one it found. An operator who cordons at the same moment is noticed:
 * the patch holds only for the version of the node that was looked at.
 *
 * `wanted` may depend on what is found; undefined leaves it.
 */
export async function putCordon(
  cluster: ClusterWriter,
  name: string,
  wanted: (found: Cordon) => Cordon | undefined,
  options: { cleanup?: boolean } = {},
): Promise<Cordon> {
  for (let conflict = 0; ; conflict += 1) {
    const node = options.cleanup
      ? objectIn(await cluster.read({ method: 'GET', path: nodePath(name), cleanup: true }), `node ${name}`)
      : await readNode(cluster, name);
    const found = cordonOf(node);
    const goal = wanted(found);
    if (goal === undefined || (goal.cordoned === found.cordoned && goal.by === found.by)) return found;
    const response = await cluster.write({
      method: 'PATCH',
      path: nodePath(name),
      idempotent: true,
      ...(options.cleanup && { cleanup: true }),
      body: {
        metadata: {
          resourceVersion: node.metadata.resourceVersion,
          annotations: { [CORDONED_BY]: goal.by ?? null },
        },
        spec: { unschedulable: goal.cordoned ? true : null },
      },
    });
    if (response.status === 200) return found;
    if (response.status !== 409 || conflict === CONFLICTS) {
      throw new TaskFailure(
        `Node ${name} cannot be ${goal.cordoned ? 'cordoned' : 'uncordoned'}: ${saidIn(response)}`,
        {
          code: 'cordon-failed',
        },
      );
    }
  }
}

/** A cordon of this run, unless there is one already; by hand it is an operator's, which no later run takes back. */
export function cordonFor({
  runId,
  byHand,
}: Pick<ReadTarget, 'runId' | 'byHand'>): (found: Cordon) => Cordon | undefined {
  return (found) => (found.cordoned ? undefined : { cordoned: true, ...(byHand ? {} : { by: runId }) });
}

/** What was this run's cordon while it was at work is an operator's from now on. */
export function handOver(runId: string): (found: Cordon) => Cordon | undefined {
  return ({ by }) => (by === runId ? { cordoned: true } : undefined);
}

/** What a run found before it changed a cordon. What somebody else has made of the node since stays. */
export function cordonAsFound(found: Cordon, runId: string): (now: Cordon) => Cordon | undefined {
  return (now) => ((found.cordoned ? !now.cordoned : now.by === runId) ? found : undefined);
}

/** No cordon; with `onlyOwn`, an operator's stays. */
export function uncordon(onlyOwn: boolean): (found: Cordon) => Cordon | undefined {
  return (found) => (onlyOwn && found.by === undefined ? undefined : { cordoned: false });
}
