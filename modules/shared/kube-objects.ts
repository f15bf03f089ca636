import { type ClusterReader, type ClusterResponse, type KubeObject, TaskFailure } from '../../runner/module.ts';

/** Annotation that the kubelet puts on the API's copy of a static pod (kubernetes/api core/v1 MirrorPodAnnotationKey). */
const MIRROR = 'kubernetes.io/config.mirror';

/** `namespace/name`, or the name alone for what has no namespace. */
export function nameOf({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}

export interface Owner {
  kind: string;
  name: string;
  uid: string;
}

/** The owner that controls an object: the one with `controller: true`. */
export function controllerOf(object: KubeObject): Owner | undefined {
  return object.metadata.ownerReferences?.find((owner: { controller?: boolean }) => owner.controller === true);
}

export function isFinished(pod: KubeObject): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** The API's copy of a static pod: deleting it changes nothing on the node. */
export function isMirror(pod: KubeObject): boolean {
  return pod.metadata.annotations?.[MIRROR] !== undefined;
}

export function usesEmptyDir(pod: KubeObject): boolean {
  return (pod.spec?.volumes ?? []).some(
    (volume: KubeObject) => volume.emptyDir !== undefined && volume.emptyDir !== null,
  );
}

/** A condition of a node, pod or other object. */
export function condition(object: KubeObject, type: string): KubeObject | undefined {
  return object.status?.conditions?.find((item: { type: string }) => item.type === type);
}

/** The workload a person knows a pod by: a Deployment rather than its ReplicaSet, whose name changes at every rollout. */
export function workloadOf(pod: KubeObject): string {
  const owner = controllerOf(pod);
  const { namespace, name, labels } = pod.metadata;
  if (!owner) return `${namespace}/Pod/${name}`;
  const hash: string | undefined = labels?.['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`)) {
    return `${namespace}/Deployment/${owner.name.slice(0, -hash.length - 1)}`;
  }
  return `${namespace}/${owner.kind}/${owner.name}`;
}

/** Whether a label selector (`matchLabels`, `matchExpressions`) matches. An empty one matches everything. */
export function selects(selector: KubeObject, labels: Record<string, string> = {}): boolean {
  const wanted = Object.entries(selector?.matchLabels ?? {});
  if (!wanted.every(([key, value]) => labels[key] === value)) return false;
  return (selector?.matchExpressions ?? []).every((requirement: KubeObject) => meets(requirement, labels));
}

/** One requirement of a label selector or of a node selector term. */
export function meets(requirement: KubeObject, labels: Record<string, string>): boolean {
  const { key, operator, values = [] } = requirement;
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** What the server said in a Status object. */
export function saidIn({ status, body }: ClusterResponse): string {
  return typeof body?.message === 'string' && body.message !== '' ? body.message : `HTTP ${status}`;
}

/** The object of an answer, or a TaskFailure with what the server said. */
export function objectIn(response: ClusterResponse, what: string): KubeObject {
  if (response.status >= 200 && response.status < 300) return response.body;
  throw new TaskFailure(`${what}: ${saidIn(response)}`, { code: 'cluster-refused' });
}

/** One node. @throws TaskFailure `no-such-node` that names those there are */
export async function readNode(cluster: ClusterReader, name: string): Promise<KubeObject> {
  const response = await cluster.read({ method: 'GET', path: nodePath(name) });
  if (response.status !== 404) return objectIn(response, `node ${name}`);
  const nodes = await cluster.list('/api/v1/nodes');
  const names = nodes.map((node) => node.metadata.name).sort();
  throw new TaskFailure(`The cluster has no node named ${name}`, {
    code: 'no-such-node',
    hint: `Its nodes: ${names.join(', ') || 'none'}. Where a host’s node has another name, set the variable \`node_name\`.`,
  });
}

export function nodePath(name: string): string {
  return `/api/v1/nodes/${encodeURIComponent(name)}`;
}

export function podPath(pod: KubeObject): string {
  const { namespace, name } = pod.metadata;
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}
