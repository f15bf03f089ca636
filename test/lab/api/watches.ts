import type { ServerResponse } from 'node:http';
import { expired } from './api-error.ts';
import { checkRevision, selection } from './lists.ts';
import type { KubeObject } from './objects.ts';
import type { ObjectRequest } from './request.ts';
import { apiVersionOf, keyOf } from './resources.ts';
import type { Change, Store } from './store.ts';
import { tableOf } from './tables.ts';
import { atVersion } from './writes.ts';

const BOOKMARK_MILLISECONDS = 5_000;
const DEFAULT_TIMEOUT_SECONDS = 1_800;

/**
 * Streams changes as lines of JSON until the client leaves, its timeout ends or the returned function is called.
 * @throws ApiError before the first line for selectors and revisions that do not read
 */
export function watch(store: Store, request: ObjectRequest, response: ServerResponse, asTable: boolean): () => void {
  const { resource, version, query } = request;
  const matches = selection(request);
  const from = checkRevision(store, query.get('resourceVersion'));
  const initial = query.get('sendInitialEvents') === 'true' || from === undefined || from === 0;
  let columnsSent = false;
  const send = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`);
  const sendObject = (type: string, object: KubeObject) => {
    const shown = atVersion(object, resource, version);
    send(type, asTable ? tableOf(request, [shown], { withColumns: !columnsSent }) : shown);
    columnsSent = true;
  };
  const sendChange = (change: Change) => {
    const event = keyOf(change.resource) === keyOf(resource) ? eventFor(change, matches) : undefined;
    if (event) sendObject(event, change.object);
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (!initial && from < store.oldestRevision) {
    send('ERROR', expired(`too old resource version: ${from} (${store.oldestRevision})`).toStatus());
    response.end();
    return () => {};
  }
  if (initial) for (const object of store.list(resource).filter(matches)) sendObject('ADDED', object);
  else for (const change of store.since(from)) sendChange(change);
  const bookmarks = query.get('allowWatchBookmarks') === 'true';
  const bookmark = (annotations?: Record<string, string>) => {
    const metadata = { resourceVersion: `${store.revision}`, ...(annotations ? { annotations } : {}) };
    send('BOOKMARK', { kind: resource.kind, apiVersion: apiVersionOf(resource, version), metadata });
  };
  if (query.get('sendInitialEvents') === 'true' && bookmarks) bookmark({ 'k8s.io/initial-events-end': 'true' });
  const unsubscribe = store.subscribe(sendChange);
  const timers = [
    setTimeout(() => response.end(), Number(query.get('timeoutSeconds') ?? DEFAULT_TIMEOUT_SECONDS) * 1000),
    ...(bookmarks ? [setInterval(bookmark, BOOKMARK_MILLISECONDS)] : []),
  ];
  response.on('close', () => {
    unsubscribe();
    for (const timer of timers) clearTimeout(timer);
  });
  return () => response.destroy();
}

/** An object that a selector begins or ceases to match appears or vanishes, as far as that watch can see. */
function eventFor(
  { type, object, previous }: Change,
  matches: (object: KubeObject) => boolean,
): Change['type'] | undefined {
  if (type === 'DELETED') return matches(previous ?? object) ? 'DELETED' : undefined;
  const before = previous !== undefined && matches(previous);
  if (matches(object)) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}
