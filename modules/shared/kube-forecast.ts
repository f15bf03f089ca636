import { type ClusterReader, type KubeObject, ReeveError } from '../../runner/module.ts';
import { type Misfit, matchesTerms, misfits } from './kube-fit.ts';
import { nameOf } from './kube-objects.ts';

/** What can be told of a drain's consequences before it begins. */
export interface Forecast {
  /** Pods whose volumes exist on this node only: they stay Pending until the node is back. */
  pinned: { pod: string; claim: string; volume: string }[];
  /** An estimate; see `misfits`. */
  unplaced: Misfit[];
  /** Other software that cordons, drains or reboots nodes by itself. */
  rivals: { name: string; pod: string; detail: string }[];
}

const RIVALS = [
  { name: 'system-upgrade-controller', image: /(^|\/)system-upgrade-controller[:@]/ },
  { name: 'kured', image: /(^|\/)kured[:@]/ },
];

/** Looks at the whole cluster: every pod is listed, since room on other nodes depends on all of them. */
export async function forecastDrain(cluster: ClusterReader, node: string, moving: KubeObject[]): Promise<Forecast> {
  const [nodes, pods] = await Promise.all([cluster.list('/api/v1/nodes'), cluster.list('/api/v1/pods')]);
  const pinned = await pinnedPods(cluster, node, nodes, moving);
  const stuck = new Set(pinned.map(({ pod }) => pod));
  const free = moving.filter((pod) => !stuck.has(nameOf(pod)) && pod.metadata.ownerReferences?.length);
  return { pinned, unplaced: misfits(nodes, pods, free, node), rivals: await rivalsAmong(cluster, pods) };
}

/** One line per finding. */
export function sentencesOf({ pinned, unplaced, rivals }: Forecast): string[] {
  return [
    ...pinned.map(({ pod, volume }) => `${pod} cannot run elsewhere: its volume ${volume} is on this node only`),
    ...unplaced.map(({ pod, why }) => `${pod} will probably stay Pending (an estimate): ${why}`),
    ...rivals.map(({ name, detail }) => `${name} runs in this cluster and may drain or reboot nodes too${detail}`),
  ];
}

async function pinnedPods(
  cluster: ClusterReader,
  leaving: string,
  nodes: KubeObject[],
  moving: KubeObject[],
): Promise<Forecast['pinned']> {
  const claims = moving.flatMap((pod) => claimsOf(pod).map((claim) => ({ pod, claim })));
  if (claims.length === 0) return [];
  const [bound, volumes] = await Promise.all([
    cluster.list('/api/v1/persistentvolumeclaims'),
    cluster.list('/api/v1/persistentvolumes'),
  ]);
  const volumeOf = new Map(bound.map((claim) => [nameOf(claim), claim.spec?.volumeName]));
  const byName = new Map(volumes.map((volume) => [volume.metadata.name, volume]));
  return claims.flatMap(({ pod, claim }) => {
    const volume = byName.get(volumeOf.get(`${pod.metadata.namespace}/${claim}`));
    if (!volume || !isOnlyOn(volume, leaving, nodes)) return [];
    return [{ pod: nameOf(pod), claim, volume: volume.metadata.name }];
  });
}

function claimsOf(pod: KubeObject): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume: KubeObject) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral ? [`${pod.metadata.name}-${volume.name}`] : [];
  });
}

/** k3s's local-path provisioner ties its volumes to a node by `nodeAffinity`; a volume without one may go anywhere. */
function isOnlyOn(volume: KubeObject, leaving: string, nodes: KubeObject[]): boolean {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  if (!terms) return false;
  const possible = nodes.filter((node) => matchesTerms(terms, node)).map((node) => node.metadata.name);
  return possible.length === 1 && possible[0] === leaving;
}

async function rivalsAmong(cluster: ClusterReader, pods: KubeObject[]): Promise<Forecast['rivals']> {
  const found: Forecast['rivals'] = [];
  for (const { name, image } of RIVALS) {
    const pod = pods.find((one) => one.spec?.containers?.some((item: KubeObject) => image.test(item.image ?? '')));
    if (!pod) continue;
    const detail = name === 'system-upgrade-controller' ? await activePlans(cluster) : '';
    found.push({ name, pod: nameOf(pod), detail });
  }
  return found;
}

/** Plans of the system-upgrade-controller that are working on a node now (`status.applying`). */
async function activePlans(cluster: ClusterReader): Promise<string> {
  try {
    const plans = await cluster.list('/apis/upgrade.cattle.io/v1/plans');
    const active = plans.filter((plan) => plan.status?.applying?.length > 0);
    return active.length > 0 ? ` (working now: ${active.map(nameOf).join(', ')})` : '';
  } catch (error) {
    // No such resource, or no right to read it: then that is not known.
    if (error instanceof ReeveError && /^cluster-(not-found|forbidden)$/.test(error.code)) return '';
    throw error;
  }
}
