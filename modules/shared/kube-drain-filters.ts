import type { ClusterReader, KubeObject } from '../../runner/module.ts';
import { controllerOf, isFinished, isMirror, nameOf, usesEmptyDir } from './kube-objects.ts';

/** What drain's filters look at; the names are the module's arguments. */
export interface DrainRules {
  force: boolean;
  ignore_daemonsets: boolean;
  delete_emptydir_data: boolean;
  /** seconds; 0 never skips */
  skipWaitForDelete: number;
}

type Fate =
  | { kind: 'evict'; warning?: string }
  /** A DaemonSet's pod: it would be back at once. */
  | { kind: 'ignore' }
  | { kind: 'skip'; why: string }
  /** Nothing is evicted as long as one pod is refused. `argument` is what would allow it. */
  | { kind: 'refuse'; why: string; argument?: string };

/**
 * What becomes of a pod when its node is drained: the filters of kubectl in their order
 * (kubernetes/kubectl pkg/drain/filters.go), the first that keeps a pod ending its chain.
 * `daemonSetExists` is asked only for unfinished pods of DaemonSets.
 */
async function fateOf(
  pod: KubeObject,
  rules: DrainRules,
  daemonSetExists: (pod: KubeObject) => Promise<boolean>,
): Promise<Fate> {
  if (isLongDeleted(pod, rules.skipWaitForDelete)) return { kind: 'skip', why: 'has been terminating for long' };
  let warning: string | undefined;
  if (controllerOf(pod)?.kind === 'DaemonSet' && !isFinished(pod)) {
    if (await daemonSetExists(pod)) {
      if (rules.ignore_daemonsets) return { kind: 'ignore' };
      return { kind: 'refuse', why: 'belongs to a DaemonSet', argument: 'ignore_daemonsets: true' };
    }
    const why = `its DaemonSet ${controllerOf(pod)?.name} is gone`;
    if (!rules.force) return { kind: 'refuse', why, argument: 'force: true' };
    warning = why;
  }
  if (isMirror(pod)) return { kind: 'skip', why: 'is a static pod' };
  if (isFinished(pod)) return { kind: 'evict' };
  if (usesEmptyDir(pod)) {
    const why = 'has data in an emptyDir volume, which is lost';
    if (!rules.delete_emptydir_data) return { kind: 'refuse', why, argument: 'delete_emptydir_data: true' };
    warning ??= why;
  }
  if (controllerOf(pod) === undefined) {
    const why = 'has no controller that would start it again';
    if (!rules.force) return { kind: 'refuse', why, argument: 'force: true' };
    warning = warning ? `${warning}; ${why}` : why;
  }
  return { kind: 'evict', ...(warning && { warning }) };
}

/** kubectl compares its own clock with the server's time too; the limit is meant to be far longer than their difference. */
export function isLongDeleted(pod: KubeObject, seconds: number): boolean {
  const at: string | undefined = pod.metadata.deletionTimestamp;
  return seconds > 0 && at !== undefined && (Date.now() - Date.parse(at)) / 1000 > seconds;
}

/** The pods of a node by what becomes of them. */
export interface DrainSelection {
  evict: { pod: KubeObject; warning?: string }[];
  ignored: string[];
  skipped: { pod: string; why: string }[];
  refused: { pod: string; why: string; argument?: string }[];
}

/** Lists the pods of a node and sorts them by what becomes of them. */
export async function selectPods(
  cluster: ClusterReader,
  node: string,
  podSelector: string | undefined,
  rules: DrainRules,
): Promise<DrainSelection> {
  const pods = await cluster.list('/api/v1/pods', {
    fieldSelector: `spec.nodeName=${node}`,
    ...(podSelector && { labelSelector: podSelector }),
  });
  const daemonSetExists = daemonSetLookup(cluster);
  const fates = await Promise.all(pods.map((pod) => fateOf(pod, rules, daemonSetExists)));
  const selection: DrainSelection = { evict: [], ignored: [], skipped: [], refused: [] };
  for (const [index, fate] of fates.entries()) {
    const pod = pods[index]!;
    const name = nameOf(pod);
    if (fate.kind === 'evict') selection.evict.push({ pod, ...(fate.warning && { warning: fate.warning }) });
    else if (fate.kind === 'ignore') selection.ignored.push(name);
    else if (fate.kind === 'skip') selection.skipped.push({ pod: name, why: fate.why });
    else selection.refused.push({ pod: name, why: fate.why, ...(fate.argument && { argument: fate.argument }) });
  }
  return selection;
}

/** Asks for each DaemonSet once, however many of its pods there are. */
function daemonSetLookup(cluster: ClusterReader): (pod: KubeObject) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (pod) => {
    const { namespace } = pod.metadata;
    const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${controllerOf(pod)?.name}`;
    const asked = known.get(path) ?? cluster.read({ method: 'GET', path }).then(({ status }) => status !== 404);
    known.set(path, asked);
    return asked;
  };
}
