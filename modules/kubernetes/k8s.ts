import {
  type ArgsOf,
  type Change,
  type ClusterReader,
  type ClusterRequest,
  type ClusterResponse,
  type ClusterWriter,
  defineModule,
  type KubeObject,
  TaskFailure,
  type WriteTarget,
} from '../../runner/module.ts';
import { findKind, pathOf } from '../shared/kube-kinds.ts';
import { essence, hideValues, manifestText } from '../shared/kube-manifest.ts';
import { objectIn, saidIn } from '../shared/kube-objects.ts';

/** Owner of the fields that this module sets (server-side apply). */
const FIELD_MANAGER = 'reeve';

/** How often undo looks again when somebody else has written in between. */
const UNDO_TRIES = 5;

const args = {
  type: 'object',
  additionalProperties: false,
  required: ['definition'],
  properties: {
    definition: {
      type: 'object',
      description: 'The object, or what identifies it: `apiVersion`, `kind`, `metadata`, and the members to set.',
    },
    state: {
      type: 'string',
      enum: ['present', 'patched', 'absent'],
      default: 'present',
      description: 'present: applied; patched: merged into an object that must exist; absent: deleted.',
    },
    force_conflicts: {
      type: 'boolean',
      default: false,
      description: 'With present: take over fields that another manager owns.',
    },
  },
} as const;

interface Next {
  path: string;
  request: ClusterRequest;
  before?: KubeObject;
}

interface Undo {
  path: string;
  /** Undefined when the object did not exist. */
  before?: KubeObject;
}

export const k8s = defineModule({
  name: 'k8s',
  description: 'Keeps an object of the Kubernetes API as it is defined, or away.',
  args,
  examples: [
    {
      title: 'A namespace',
      yaml: 'k8s: { definition: { apiVersion: v1, kind: Namespace, metadata: { name: shop } } }',
    },
    {
      title: 'Scale a Deployment',
      yaml: 'k8s: { state: patched, definition: { apiVersion: apps/v1, kind: Deployment, metadata: { name: web, namespace: shop }, spec: { replicas: 3 } } }',
    },
  ],
  kind: 'state',
  on: 'cluster',
  returns: {
    type: 'object',
    properties: {
      exists: { type: 'boolean', description: 'Whether the object exists.' },
      resource: { type: 'object', description: 'The object.' },
    },
  },
  notes:
    'The server itself is asked what would become of the object (a dry run), so that defaults, conversions and refusals ' +
    'by admission are known beforehand. `present` uses server-side apply with the field manager `reeve`.',
  // Text is a template that gives the object later.
  check: ({ definition }) => (typeof definition === 'string' ? undefined : missingIn(definition as KubeObject)),
  async plan({ definition, state, force_conflicts: force }: ArgsOf<typeof args>, target) {
    const cluster = await target.cluster();
    const wanted = definition as KubeObject;
    const problem = missingIn(wanted);
    if (problem) throw new TaskFailure(problem, { code: 'bad-definition' });
    hideValues(wanted, target);
    const kind = await findKind(cluster, wanted.kind, wanted.apiVersion);
    const namespace = kind.namespaced ? (wanted.metadata.namespace ?? 'default') : undefined;
    const path = pathOf(kind, namespace, wanted.metadata.name);
    const label = `${kind.kind} ${namespace ? `${namespace}/` : ''}${wanted.metadata.name}`;
    const response = await cluster.read({ method: 'GET', path });
    const before = response.status === 404 ? undefined : objectIn(response, label);
    if (before) hideValues(before, target);

    if (state === 'absent') return absence(path, label, before);
    if (state === 'patched' && !before) {
      throw new TaskFailure(`${label} does not exist`, { hint: 'Only `state: present` creates it.' });
    }
    const request = state === 'patched' ? patchOf(path, wanted) : applyOf(path, wanted, force);
    const after = await outcomeOf(cluster, request, label);
    const facts = { exists: before !== undefined, ...(before && { resource: before }) };
    const texts = { before: before ? manifestText(essence(before)) : '', after: manifestText(essence(after)) };
    if (texts.before === texts.after) return { changes: [], facts, message: `${label} is as defined` };
    const change: Change = {
      summary: `${label}: ${before ? (state === 'patched' ? 'patch' : 'apply') : 'create'}`,
      ...texts,
      path: label,
      ...(kind.kind === 'Secret' && { sensitive: true }),
    };
    const next: Next = { path, request, ...(before && { before }) };
    return { changes: [change], facts, predicted: { exists: true }, next, ...undoOf(path, before) };
  },
  async apply({ path, request, before }: Next, target) {
    const response = await (await target.cluster()).write({ ...request, idempotent: true });
    if (request.method === 'DELETE') {
      if (response.status !== 404) objectIn(response, path);
      await untilGone(path, before, target);
      return { facts: { exists: false }, ...undoOf(path, before) };
    }
    return { facts: { exists: true, resource: objectIn(response, path) }, ...undoOf(path, before) };
  },
  undoShowsContent: true,
  async undo({ path, before }: Undo, target) {
    for (let tries = 1; ; tries++) {
      const response = await putBack(await target.cluster(), path, before);
      if (!response) return;
      // A controller wrote its status in between, as those of workloads do all the time.
      if (response.status !== 409 || tries === UNDO_TRIES) {
        objectIn(response, path);
        return;
      }
      await target.sleep(50 * tries);
    }
  },
});

/** What a Secret held must not reach the journal, so only its creation can be taken back. */
function undoOf(path: string, before: KubeObject | undefined): { undo?: Undo } {
  return before?.kind === 'Secret' ? {} : { undo: { path, ...(before && { before }) } };
}

/** Brings the object as it is now back to what it was; undefined when there is nothing to do. */
async function putBack(
  cluster: ClusterWriter,
  path: string,
  before: KubeObject | undefined,
): Promise<ClusterResponse | undefined> {
  const response = await cluster.read({ method: 'GET', path });
  const now = response.status === 404 ? undefined : objectIn(response, path);
  if (!before) return now && cluster.write(deletionOf(path, now));
  const object = essence(before);
  if (!now) return cluster.write({ method: 'POST', path: path.slice(0, path.lastIndexOf('/')), body: object });
  const metadata = { ...object.metadata, resourceVersion: now.metadata.resourceVersion };
  return cluster.write({ method: 'PUT', path, body: { ...object, metadata } });
}

function missingIn(definition: KubeObject): string | undefined {
  const { apiVersion, kind, metadata } = definition ?? {};
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return '`definition` needs `apiVersion` and `kind`';
  return typeof metadata?.name === 'string' ? undefined : '`definition` needs `metadata.name`';
}

function absence(path: string, label: string, before: KubeObject | undefined) {
  if (!before) return { changes: [], facts: { exists: false }, message: `${label} does not exist` };
  return {
    changes: [{ summary: `${label}: delete`, before: 'present', after: 'absent' }],
    facts: { exists: true, resource: before },
    predicted: { exists: false },
    next: { path, request: deletionOf(path, before), before } satisfies Next,
    ...undoOf(path, before),
  };
}

/** Pinned to this very object: one that was made anew meanwhile stays. */
function deletionOf(path: string, object: KubeObject): ClusterRequest {
  const preconditions = { uid: object.metadata.uid };
  return { method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions } };
}

function applyOf(path: string, wanted: KubeObject, force: boolean): ClusterRequest {
  const query = { fieldManager: FIELD_MANAGER, force };
  return { method: 'PATCH', path, query, contentType: 'application/apply-patch+yaml', body: wanted };
}

function patchOf(path: string, wanted: KubeObject): ClusterRequest {
  return { method: 'PATCH', path, query: { fieldManager: FIELD_MANAGER }, body: wanted };
}

/** What the server would make of the object. */
async function outcomeOf(cluster: ClusterReader, request: ClusterRequest, label: string): Promise<KubeObject> {
  const response = await cluster.read({ ...request, query: { ...request.query, dryRun: 'All' } });
  if (response.status === 409) {
    throw new TaskFailure(`${label} is refused: ${saidIn(response)}`, {
      code: 'field-conflict',
      hint: 'Another manager owns these fields: leave them out, or take them over with `force_conflicts: true`.',
    });
  }
  return objectIn(response, label);
}

/** A deletion only begins with the request: finalizers and grace periods take their time. */
async function untilGone(path: string, before: KubeObject | undefined, target: WriteTarget): Promise<void> {
  const cluster = await target.cluster();
  const cut = path.lastIndexOf('/');
  const query = { fieldSelector: `metadata.name=${decodeURIComponent(path.slice(cut + 1))}` };
  const uid = before?.metadata.uid;
  await cluster.until(
    { path: path.slice(0, cut), query, what: `${path} to be gone` },
    (objects) => (objects.some((one) => one.metadata.uid === uid) ? undefined : true),
    target.remaining(),
  );
}
