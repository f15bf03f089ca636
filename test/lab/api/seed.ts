import { syncBudgets } from './budgets.ts';
import { type Client, createClient, type Response } from './client.ts';
import type { Seeds } from './cluster.ts';
import type { KubeObject } from './objects.ts';
import { apiVersionOf, builtInResources, Registry, type Resource } from './resources.ts';
import { Store } from './store.ts';

/** The objects of a tree of lists, in order. */
export function flatten(objects: Seeds): KubeObject[] {
  return objects.flatMap((item) => (Array.isArray(item) ? flatten(item as Seeds) : [item as KubeObject]));
}

/**
 * Brings the state that fixtures describe into any API server by requests: objects first, then their statuses. Owner
 * references follow to the uids that the server gives; budgets get the status that their controller would compute, as a
 * bare API server has none; pods that are being deleted are deleted. Meant for an API server without controllers: others
 * would set to work before the last object is there.
 * @param kubeconfig text of a kubeconfig
 * @throws Error naming the first object that the server refuses
 */
export async function seedThroughApi(
  kubeconfig: string,
  objects: Seeds,
  resources: readonly Resource[] = [],
): Promise<void> {
  const registry = new Registry(builtInResources, resources);
  const all = withBudgetStatus(flatten(objects), registry);
  const client = createClient(kubeconfig);
  const uids = new Map<string, string>();
  try {
    for (const name of namespacesOf(all, registry)) await ensureNamespace(client, name);
    for (const object of all) await seedOne(client, object, registry, uids);
  } finally {
    client.close();
  }
}

function withBudgetStatus(objects: KubeObject[], registry: Registry): KubeObject[] {
  const model = new Store(registry);
  for (const object of objects) model.add(object);
  syncBudgets(model);
  return objects.map((object) =>
    object.kind === 'PodDisruptionBudget'
      ? {
          ...object,
          status: model.get(model.resourceOf(object), object.metadata.name, object.metadata.namespace)?.status,
        }
      : object,
  );
}

function namespacesOf(objects: KubeObject[], registry: Registry): string[] {
  const namespaced = objects.filter((object) => registry.ofKind(object.apiVersion, object.kind)?.namespaced);
  return [...new Set(namespaced.map(({ metadata }) => metadata.namespace ?? 'default'))];
}

async function ensureNamespace(client: Client, name: string): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  const response = await client.send('POST', '/api/v1/namespaces', namespace);
  if (response.code !== 409) expectSuccess(response, `namespace ${name}`);
}

async function seedOne(client: Client, object: KubeObject, registry: Registry, uids: Map<string, string>) {
  const resource = registry.ofKind(object.apiVersion, object.kind);
  if (!resource) throw new TypeError(`no resource is known for ${object.kind} in ${object.apiVersion}`);
  const { name, namespace = 'default' } = object.metadata;
  const base = apiVersionOf(resource).includes('/')
    ? `/apis/${apiVersionOf(resource)}`
    : `/api/${apiVersionOf(resource)}`;
  const collection = `${base}${resource.namespaced ? `/namespaces/${namespace}` : ''}/${resource.plural}`;
  const what = `${object.kind} ${namespace}/${name}`;
  const created = await client.send('POST', collection, requestBody(object, uids));
  expectSuccess(created, what);
  const stored = created.body as KubeObject;
  if (object.metadata.uid) uids.set(object.metadata.uid, stored.metadata.uid ?? '');
  if (object.status !== undefined && resource.status) {
    const type = { 'content-type': 'application/merge-patch+json' };
    const status = await client.send('PATCH', `${collection}/${name}/status`, { status: object.status }, type);
    expectSuccess(status, `status of ${what}`);
  }
  if (object.metadata.deletionTimestamp) {
    expectSuccess(await client.send('DELETE', `${collection}/${name}`), `deletion of ${what}`);
  }
}

function requestBody(object: KubeObject, uids: Map<string, string>): KubeObject {
  const { status, ...rest } = object;
  const { uid: _, deletionTimestamp: _at, deletionGracePeriodSeconds: _grace, ...metadata } = object.metadata;
  const owners = metadata.ownerReferences?.map((owner) => ({ ...owner, uid: uids.get(owner.uid) ?? owner.uid }));
  return {
    ...rest,
    metadata: { ...metadata, ...(owners ? { ownerReferences: owners } : {}) },
    ...(object.kind === 'Node' ? { status } : {}),
  };
}

function expectSuccess(response: Response, what: string): void {
  if (response.code >= 200 && response.code < 300) return;
  throw new Error(`the server refused ${what}: ${response.code} ${JSON.stringify(response.body)}`);
}
