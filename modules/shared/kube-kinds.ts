import { type ClusterReader, type KubeObject, TaskFailure } from '../../runner/module.ts';
import { saidIn } from './kube-objects.ts';

/** Groups of kinds that people write without a group; every other one needs `api_version`. */
const GROUPS: Record<string, string> = {
  'apps/v1': 'Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision',
  'batch/v1': 'Job CronJob',
  'networking.k8s.io/v1': 'Ingress IngressClass NetworkPolicy',
  'policy/v1': 'PodDisruptionBudget',
  'rbac.authorization.k8s.io/v1': 'Role RoleBinding ClusterRole ClusterRoleBinding',
  'storage.k8s.io/v1': 'StorageClass VolumeAttachment CSIDriver CSINode',
  'coordination.k8s.io/v1': 'Lease',
  'autoscaling/v2': 'HorizontalPodAutoscaler',
  'apiextensions.k8s.io/v1': 'CustomResourceDefinition',
};

/** The API version of a kind that is written without one. */
function usualVersion(kind: string): string {
  const wanted = kind.toLowerCase();
  const found = Object.entries(GROUPS).find(([, kinds]) =>
    kinds.split(' ').some((one) => one.toLowerCase() === wanted || `${one.toLowerCase()}s` === wanted),
  );
  return found?.[0] ?? 'v1';
}

/** A kind as the server knows it. */
export interface Kind {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

/** Asks the server about a kind, its plural or a short name. @throws TaskFailure `no-such-kind` with the kinds there are */
export async function findKind(cluster: ClusterReader, kind: string, apiVersion = usualVersion(kind)): Promise<Kind> {
  const path = groupPath(apiVersion);
  const response = await cluster.read({ method: 'GET', path });
  if (response.status !== 200) {
    throw new TaskFailure(`The cluster has no API ${apiVersion} (for kind ${kind}): ${saidIn(response)}`, {
      code: 'no-such-kind',
      hint: 'Is what defines this kind installed, in this version?',
    });
  }
  const known: KubeObject[] = (response.body.resources ?? []).filter(
    (one: { name: string }) => !one.name.includes('/'),
  );
  const wanted = kind.toLowerCase();
  const found = known.find(
    (one) => one.kind.toLowerCase() === wanted || one.name === wanted || one.shortNames?.includes(wanted),
  );
  if (!found) {
    throw new TaskFailure(`${apiVersion} of this cluster has no kind ${kind}`, {
      code: 'no-such-kind',
      hint: `Say its \`api_version\`. Kinds of ${apiVersion}: ${known.map((one) => one.kind).join(', ')}.`,
    });
  }
  return { apiVersion, kind: found.kind, plural: found.name, namespaced: found.namespaced };
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** Path of one object, or of the list of them; without a namespace, the list of all namespaces. */
export function pathOf({ apiVersion, plural, namespaced }: Kind, namespace?: string, name?: string): string {
  const within = namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const one = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${groupPath(apiVersion)}${within}/${plural}${one}`;
}
