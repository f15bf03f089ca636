import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, unsupportedMediaType } from './api-error.ts';
import type { Registry, Resource } from './resources.ts';

/** A request, read as far as its headers and path tell. */
export interface Request {
  method: string;
  path: string;
  query: URLSearchParams;
  accept: string;
  contentType: string;
  userAgent: string;
  /** Who asks, from the client certificate or the token. */
  user: string;
  /** The name of the server that was asked, when the cluster has several. */
  server: string;
  body: Buffer;
}

/** A request for objects: what a path below /api or /apis means. */
export interface ObjectRequest extends Request {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  resource: Resource;
  version: string;
  namespace?: string;
  name?: string;
  subresource?: string;
  dryRun: boolean;
}

const PATH =
  /^\/(?:api\/(?<core>v1)|apis\/(?<group>[^/]+)\/(?<version>[^/]+))(?:\/namespaces\/(?<ns>[^/]+))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<sub>[^/]+))?$/;
const NAMESPACE_ITSELF = /^\/api\/v1\/namespaces\/(?<name>[^/]+)(?:\/(?<sub>status|finalize))?$/;

/**
 * Reads the path of a request for objects; undefined when the registry has nothing there.
 * @throws ApiError 405 when the verb makes no sense there
 */
export function resolve(registry: Registry, request: Request): ObjectRequest | undefined {
  const itself = NAMESPACE_ITSELF.exec(request.path)?.groups;
  const found = PATH.exec(request.path)?.groups;
  const where = itself ? { core: 'v1', plural: 'namespaces', ...itself } : found;
  if (!where) return undefined;
  const version = where.core ?? where.version ?? '';
  const resource = registry.at(where.core ? '' : (where.group ?? ''), version, where.plural ?? '');
  if (!resource || (where.ns !== undefined && !resource.namespaced)) return undefined;
  if (where.name !== undefined && resource.namespaced && where.ns === undefined) return undefined;
  const base = {
    ...request,
    resource,
    version,
    ...(where.ns === undefined ? {} : { namespace: decodeURIComponent(where.ns) }),
    ...(where.name === undefined ? {} : { name: decodeURIComponent(where.name) }),
    ...(where.sub === undefined ? {} : { subresource: where.sub }),
    dryRun: readDryRun(request.query.getAll('dryRun')),
  };
  return { ...base, verb: verbOf(request, where.name !== undefined, where.sub) };
}

function readDryRun(values: string[]): boolean {
  if (values.some((value) => value !== 'All')) {
    throw badRequest('invalid dry-run: Unsupported value: supported values: "All"');
  }
  return values.length > 0;
}

function verbOf({ method, query }: Request, named: boolean, sub: string | undefined): ObjectRequest['verb'] {
  const watches = ['true', '1'].includes(query.get('watch') ?? '');
  if (method === 'GET' && named) return 'get';
  if (method === 'GET') return watches ? 'watch' : 'list';
  if (method === 'POST' && (!named || sub)) return 'create';
  if (method === 'PUT' && named) return 'update';
  if (method === 'PATCH' && named) return 'patch';
  if (method === 'DELETE' && !sub) return named ? 'delete' : 'deletecollection';
  const why = 'the server does not allow this method on the requested resource';
  throw new ApiError(405, 'MethodNotAllowed', why);
}

/** The body as a value: JSON, or YAML where the client says so. @throws ApiError 400 or 415 when it does not read */
export function readBody({ body, contentType }: Request): unknown {
  if (body.length === 0) return {};
  const type = contentType.split(';')[0]?.trim() ?? '';
  if (type.includes('protobuf') || type.includes('cbor'))
    throw unsupportedMediaType(['application/json', 'application/yaml']);
  try {
    return type.includes('yaml') ? parseYaml(body.toString()) : JSON.parse(body.toString());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`the object provided is unrecognized: ${why}`);
  }
}

/** Whether a write is a rehearsal: the query says so, or the delete options in the body do (drain --dry-run=server). */
export function isDryRun(request: ObjectRequest): boolean {
  if (request.dryRun) return true;
  if (request.verb !== 'delete' && request.verb !== 'deletecollection' && request.subresource !== 'eviction')
    return false;
  const body = readBody(request) as { dryRun?: string[]; deleteOptions?: { dryRun?: string[] } };
  return (body.deleteOptions?.dryRun ?? body.dryRun ?? []).includes('All');
}
