import { onTestFinished } from 'vitest';
import { type Api, type ApiOptions, startApi } from '../../lab/api/api.ts';
import type { Status } from '../../lab/api/api-error.ts';
import { type Client, createClient } from '../../lab/api/client.ts';
import type { Seeds } from '../../lab/api/cluster.ts';
import type { KubeObject } from '../../lab/api/objects.ts';

/** An API with this state and a client of it, both gone after the test. */
export async function lab(seeds: Seeds = [], options: ApiOptions = {}): Promise<{ api: Api; client: Client }> {
  const api = await startApi(options);
  api.seed(seeds);
  const client = createClient(api.kubeconfig());
  onTestFinished(async () => {
    client.close();
    await api.stop();
  });
  return { api, client };
}

/** All controllers off: nothing moves but what the test does. */
export const STILL: ApiOptions = {
  controllers: { workloads: false, scheduler: false, kubelets: false, nodes: false, garbage: false },
};

export const podPath = (name: string, namespace = 'default') => `/api/v1/namespaces/${namespace}/pods/${name}`;

export const asObject = (body: unknown) => body as KubeObject;
export const asStatus = (body: unknown) => body as Status;

/** The Eviction that asks for a pod to go. */
export function eviction(name: string, deleteOptions: object = {}, version = 'v1', namespace = 'default') {
  return { apiVersion: `policy/${version}`, kind: 'Eviction', metadata: { name, namespace }, deleteOptions };
}
