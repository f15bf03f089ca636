import type { ServerResponse } from 'node:http';
import { ApiError, forbidden, methodNotAllowed, notFound } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { deleteObject } from './deletion.ts';
import { discover, openApiV2, openApiV3, REVIEW_GROUP } from './discovery.ts';
import { Faults } from './faults.ts';
import { list, selection } from './lists.ts';
import type { KubeObject } from './objects.ts';
import { OPENAPI_V2_PROTOBUF, OPENAPI_V2_PROTOBUF_ANSWER, openApiV2Protobuf } from './openapi-protobuf.ts';
import { isDryRun, type ObjectRequest, type Request, readBody, resolve } from './request.ts';
import { keyOf } from './resources.ts';
import { scaleOf } from './scale.ts';
import { tableOf, wantsTable } from './tables.ts';
import { watch } from './watches.ts';
import { atVersion, bind, create, createEviction, deleteOptions, patch, remove, update } from './writes.ts';

/** What a request was about and how it was answered. */
export interface LogEntry {
  method: string;
  path: string;
  verb: string;
  /** `pods`, `poddisruptionbudgets.policy`, …; empty for paths that are not about objects. */
  resource: string;
  namespace: string;
  name: string;
  subresource: string;
  dryRun: boolean;
  userAgent: string;
  user: string;
  server: string;
  code: number;
  /** The message of a refusal. */
  message?: string;
}

/** What a client wants to do, as authorization sees it. */
export interface Access {
  user: string;
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
}

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];

interface Reply {
  code: number;
  body: object | string | Buffer;
  type?: string;
}

/** Answers requests for one cluster, whichever of its servers they reach, and keeps the log of them. */
export class Gateway {
  readonly cluster: Cluster;
  readonly faults = new Faults();
  readonly requests: LogEntry[] = [];
  /** Says what is forbidden, with the reason that the client gets to read; all is allowed without it. */
  authorize: (access: Access) => string | undefined = () => undefined;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** Serves an authenticated request. */
  async serve(request: Request, response: ServerResponse): Promise<void> {
    const entry = describe(request);
    this.requests.push(entry);
    try {
      const fault = await this.faults.strike(request);
      if (fault === 'reset') {
        response.destroy();
        return;
      }
      if (fault === 'hang') return;
      if (fault) throw fault;
      // The client left or the server died while the request waited: it must have no effect.
      if (response.destroyed) return;
      const reply = this.#dispatch(request, response, entry);
      entry.code = reply?.code ?? 200;
      if (reply) send(response, reply);
    } catch (error) {
      const refusal =
        error instanceof ApiError
          ? error
          : new ApiError(
              500,
              'InternalError',
              `Internal error occurred: ${error instanceof Error ? error.stack : error}`,
            );
      entry.code = refusal.code;
      entry.message = refusal.message;
      sendError(response, refusal);
    }
  }

  /** Undefined when the response is a stream that goes on. */
  #dispatch(request: Request, response: ServerResponse, entry: LogEntry): Reply | undefined {
    const { path, accept } = request;
    const { registry } = this.cluster.store;
    const found = discover(registry, path, accept);
    if (found) return { code: 200, ...found };
    if (path.startsWith(`/apis/${REVIEW_GROUP}/v1/`) && request.method === 'POST') return this.#review(request);
    if (path === '/openapi/v2') {
      if (!accept.includes(OPENAPI_V2_PROTOBUF)) return { code: 200, body: openApiV2(registry) };
      return { code: 200, body: openApiV2Protobuf(registry), type: OPENAPI_V2_PROTOBUF_ANSWER };
    }
    const document = openApiV3(registry, path);
    if (document) return { code: 200, body: document };
    const target = resolve(registry, request);
    if (!target) return { code: 404, body: '404 page not found\n', type: 'text/plain; charset=utf-8' };
    Object.assign(entry, describeTarget(target));
    this.#checkAccess(target);
    return this.#serveObjects(target, response);
  }

  #checkAccess({ resource, verb, namespace = '', name = '', subresource = '', user }: ObjectRequest): void {
    const access = { user, verb, group: resource.group, resource: resource.plural, subresource, namespace, name };
    const why = this.authorize(access);
    if (why) throw forbidden(resource, name, why);
  }

  #review(request: Request): Reply {
    const body = readBody(request) as KubeObject & { spec?: { resourceAttributes?: Partial<Access> } };
    if (body.kind === 'SelfSubjectRulesReview') {
      const resourceRules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
      return { code: 201, body: { ...body, status: { resourceRules, nonResourceRules: [], incomplete: false } } };
    }
    const access = { user: request.user, verb: '', group: '', resource: '', subresource: '', namespace: '', name: '' };
    const reason = this.authorize({ ...access, ...body.spec?.resourceAttributes });
    return { code: 201, body: { ...body, status: { allowed: !reason, ...(reason ? { reason } : {}) } } };
  }

  #serveObjects(request: ObjectRequest, response: ServerResponse): Reply | undefined {
    const { store } = this.cluster;
    const { resource, version, subresource } = request;
    const asTable = wantsTable(request.accept);
    if (request.verb === 'watch') {
      const forget = this.faults.track(watch(store, request, response, asTable));
      response.on('close', forget);
      return undefined;
    }
    if (request.verb === 'list') {
      const found = list(store, request);
      if (!asTable) return { code: 200, body: found };
      return { code: 200, body: tableOf(request, found.items, { metadata: found.metadata }) };
    }
    if (request.verb === 'get') {
      const object = store.get(resource, request.name ?? '', request.namespace ?? '');
      if (!object) throw notFound(resource, request.name ?? '');
      if (subresource === 'log') return { code: 200, body: `log of ${object.metadata.name}\n`, type: 'text/plain' };
      if (subresource === 'scale' && resource.scale) return { code: 200, body: scaleOf(object) };
      if (subresource !== undefined && subresource !== 'status') throw methodNotAllowed();
      const shown = atVersion(object, resource, version);
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      return { code: 200, body: asTable ? tableOf(request, [shown], { metadata }) : shown };
    }
    const { code, body } = this.#write(request);
    return { code, body: isOf(body, resource.kind) ? atVersion(body, resource, version) : body };
  }

  #write(request: ObjectRequest): { code: number; body: object } {
    const { verb, subresource } = request;
    if (verb === 'create' && subresource === 'eviction' && offers(request, 'eviction'))
      return createEviction(this.cluster, request);
    if (verb === 'create' && subresource === 'binding') return bind(this.cluster, request);
    if (verb === 'create' && subresource === undefined) return create(this.cluster, request);
    if (verb === 'update') return update(this.cluster, request);
    if (verb === 'patch') return patch(this.cluster, request);
    if (verb === 'delete') return remove(this.cluster, request);
    if (verb === 'deletecollection') return this.#deleteCollection(request);
    throw methodNotAllowed();
  }

  #deleteCollection(request: ObjectRequest): { code: number; body: object } {
    const { store } = this.cluster;
    const objects = store.list(request.resource).filter(selection(request));
    for (const { metadata } of objects) {
      deleteObject(store, request.resource, metadata.name, metadata.namespace ?? '', deleteOptions(request));
    }
    return { code: 200, body: { ...list(store, request), items: objects } };
  }
}

function offers({ resource }: ObjectRequest, subresource: string): boolean {
  if (resource.subresources?.some(({ name }) => name === subresource)) return true;
  throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
}

function isOf(body: object, kind: string): body is KubeObject {
  return (body as KubeObject).kind === kind;
}

function describe({ method, path, userAgent, user, server }: Request): LogEntry {
  const target = { verb: method.toLowerCase(), resource: '', namespace: '', name: '', subresource: '', dryRun: false };
  return { method, path, ...target, userAgent, user, server, code: 0 };
}

function describeTarget(request: ObjectRequest): Partial<LogEntry> {
  const { verb, resource, namespace = '', name = '', subresource = '' } = request;
  return { verb, resource: keyOf(resource), namespace, name, subresource, dryRun: isDryRun(request) };
}

/** Whether the entry is a write that the API accepted, dry or not. */
export function isAcceptedWrite({ verb, resource, code }: LogEntry): boolean {
  return WRITES.includes(verb) && resource !== '' && code >= 200 && code < 300;
}

/** Sends a refusal as a Status; clients of client-go repeat by themselves when there is a Retry-After header. */
export function sendError(response: ServerResponse, error: ApiError): void {
  const after = error.details?.retryAfterSeconds;
  if (after !== undefined && !response.headersSent) response.setHeader('retry-after', `${after}`);
  send(response, { code: error.code, body: error.toStatus() });
}

function send(response: ServerResponse, { code, body, type = 'application/json' }: Reply): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(code, { 'content-type': type });
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}
