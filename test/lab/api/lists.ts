import { ApiError, badRequest, expired } from './api-error.ts';
import type { KubeObject } from './objects.ts';
import type { ObjectRequest } from './request.ts';
import { apiVersionOf } from './resources.ts';
import { type Predicate, parseFieldSelector, parseLabelSelector } from './selectors.ts';
import type { Store } from './store.ts';
import { atVersion } from './writes.ts';

export interface KubeList extends Omit<KubeObject, 'metadata'> {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: KubeObject[];
}

/** What the selectors and the namespace of a request let through. @throws ApiError 400 for a selector that does not read */
export function selection({ query, resource, namespace, name }: ObjectRequest): Predicate {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', resource);
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    labels(object) &&
    fields(object);
}

interface Position {
  revision: number;
  after: string;
}

const keyOfObject = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`;

/** GET of a list, in pages when `limit` says so. @throws ApiError 400, 410 for a page token that is too old */
export function list(store: Store, request: ObjectRequest): KubeList {
  const { resource, version, query } = request;
  checkRevision(store, query.get('resourceVersion'));
  const position = readToken(query.get('continue'));
  if (position && position.revision < store.oldestRevision) {
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    );
  }
  const all = store
    .list(resource)
    .filter(selection(request))
    .filter((object) => !position || keyOfObject(object) > position.after);
  const limit = Number(query.get('limit') ?? 0) || all.length;
  const page = all.slice(0, limit);
  const revision = position?.revision ?? store.revision;
  const rest = all.length - page.length;
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource, version),
    metadata: {
      resourceVersion: `${revision}`,
      ...(rest > 0
        ? { continue: writeToken({ revision, after: keyOfObject(page.at(-1)!) }), remainingItemCount: rest }
        : {}),
    },
    items: page.map((object) => (resource.custom ? atVersion(object, resource, version) : withoutType(object))),
  };
}

/** Items of built-in lists come without kind and apiVersion, which clients have to know. */
function withoutType(object: KubeObject): KubeObject {
  const { kind: _kind, apiVersion: _version, ...rest } = object;
  return rest as unknown as KubeObject;
}

/** @throws ApiError 400 for no number, 504 for a revision that is still to come */
export function checkRevision(store: Store, text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const revision = Number(text);
  if (!Number.isInteger(revision) || revision < 0)
    throw badRequest(`Invalid value: "${text}": resource version must be a number`);
  if (revision > store.revision) {
    throw new ApiError(504, 'Timeout', `Too large resource version: ${revision}, current: ${store.revision}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
  }
  return revision;
}

function writeToken(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function readToken(text: string | null): Position | undefined {
  if (!text) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Position;
  } catch {
    throw badRequest('continue key is not valid');
  }
}
