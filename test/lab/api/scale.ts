import { badRequest } from './api-error.ts';
import type { KubeObject, Workload } from './objects.ts';

/** The scale subresource of a workload. */
export function scaleOf(object: KubeObject): KubeObject {
  const { metadata, spec, status } = object as Workload;
  const { name, namespace = '', uid = '', resourceVersion = '', creationTimestamp = '' } = metadata;
  const labels = Object.entries(spec.selector?.matchLabels ?? {});
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas ?? 1 },
    status: { replicas: status?.replicas ?? 0, selector: labels.map(([key, value]) => `${key}=${value}`).join(',') },
  };
}

/** The workload with the replicas of a Scale. @throws ApiError 400 when it names no number */
export function withReplicas(object: KubeObject, scale: unknown): KubeObject {
  const { spec, metadata } = scale as { spec?: { replicas?: number }; metadata?: { resourceVersion?: string } };
  const replicas = spec?.replicas;
  if (typeof replicas !== 'number' || replicas < 0) throw badRequest('spec.replicas must be a number of 0 or more');
  const generation = (object.metadata.generation ?? 1) + ((object as Workload).spec.replicas === replicas ? 0 : 1);
  return {
    ...object,
    metadata: { ...object.metadata, generation, resourceVersion: metadata?.resourceVersion ?? '' },
    spec: { ...(object.spec as object), replicas },
  };
}
