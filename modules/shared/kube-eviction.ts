import type { ClusterReader, ClusterRequest, ClusterResponse, KubeObject } from '../../runner/module.ts';
import { podPath, saidIn } from './kube-objects.ts';

/** How pods are made to leave: by an eviction of this API version, or by plain deletion. */
export type EvictionApi = 'policy/v1' | 'policy/v1beta1' | 'delete';

/** What one attempt to make a pod leave came to. */
export type EvictionOutcome =
  | { kind: 'leaving' }
  | { kind: 'gone' }
  /** Not now: a budget, a server that is busy, a namespace in deletion. */
  | { kind: 'blocked'; why: string; budget?: string }
  | { kind: 'conflict'; why: string }
  | { kind: 'failed'; why: string };

/** Whether the API knows evictions, and in which version (as kubectl asks: by the subresource `pods/eviction`). */
export async function evictionApi(cluster: ClusterReader): Promise<EvictionApi> {
  const { status, body } = await cluster.read({ method: 'GET', path: '/api/v1' });
  const found = status === 200 && body.resources?.find((item: { name: string }) => item.name === 'pods/eviction');
  if (!found) return 'delete';
  return found.version === 'v1beta1' ? 'policy/v1beta1' : 'policy/v1';
}

/**
 * The request that makes one pod leave. The uid pins it to this pod: a replacement of the same name on another node
 * (StatefulSet) is never touched, and the request may be repeated.
 */
export function evictionOf(pod: KubeObject, api: EvictionApi, gracePeriod: number | undefined): ClusterRequest {
  const options = {
    preconditions: { uid: pod.metadata.uid },
    ...(gracePeriod !== undefined && { gracePeriodSeconds: gracePeriod }),
  };
  if (api === 'delete') {
    return {
      method: 'DELETE',
      path: podPath(pod),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options },
      idempotent: true,
    };
  }
  const { name, namespace } = pod.metadata;
  return {
    method: 'POST',
    path: `${podPath(pod)}/eviction`,
    body: { apiVersion: api, kind: 'Eviction', metadata: { name, namespace }, deleteOptions: options },
    idempotent: true,
  };
}

/** Reads the server's answer as kubernetes/kubectl pkg/drain and the API server's eviction.go define it. */
export function outcomeOf(response: ClusterResponse): EvictionOutcome {
  const { status, body } = response;
  if (status >= 200 && status < 300) return { kind: 'leaving' };
  if (status === 404) return { kind: 'gone' };
  if (status === 409) return { kind: 'conflict', why: saidIn(response) };
  if (status === 429) {
    const causes: { message?: string }[] = body?.details?.causes ?? [];
    const why = causes.map((cause) => cause.message).find((message) => message) ?? saidIn(response);
    const budget = /^The disruption budget (\S+) /.exec(why)?.[1];
    return { kind: 'blocked', why: decapitalized(why), ...(budget && { budget }) };
  }
  // Every other 403 is thrown by the cluster client.
  if (status === 403) return { kind: 'blocked', why: 'its namespace is being deleted' };
  return { kind: 'failed', why: saidIn(response) };
}

/** The server's answer if this pod were evicted now. */
export async function dryRunEviction(
  cluster: ClusterReader,
  pod: KubeObject,
  api: EvictionApi,
  gracePeriod: number | undefined,
): Promise<EvictionOutcome> {
  const request = { ...evictionOf(pod, api, gracePeriod), query: { dryRun: 'All' } };
  return outcomeOf(await cluster.read(request));
}

function decapitalized(text: string): string {
  return text.startsWith('The ') ? `t${text.slice(1)}`.replace(/\.$/, '') : text.replace(/\.$/, '');
}
