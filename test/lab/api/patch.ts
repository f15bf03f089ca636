import { ApiError, badRequest } from './api-error.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** RFC 7386: null removes, objects merge, all else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

// Lists that merge by a key, from the patchMergeKey tags of k8s.io/api; `''` is a list of plain values that form a set.
// Several lists share a name (ports of containers and of services), so the first key that the items carry counts.
const MERGE_KEYS: Record<string, readonly string[]> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  ports: ['containerPort', 'port'],
  imagePullSecrets: ['name'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey'],
  conditions: ['type'],
  addresses: ['type'],
  ownerReferences: ['uid'],
  secrets: ['name'],
  finalizers: [''],
};

/** A strategic merge patch, with its `$` directives, as far as kubectl and the usual clients send them. */
export function strategicMergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  if (patch.$patch === 'replace') return withoutDirectives(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) delete result[key];
    else if (Array.isArray(value)) result[key] = mergeList(key, result[key], value);
    else result[key] = value.constructor === Object ? strategicMergePatch(result[key], value) : value;
  }
  for (const [key, value] of Object.entries(patch)) applyDirective(result, key, value);
  return result;
}

function applyDirective(result: JsonObject, key: string, value: Json): void {
  if (key === '$retainKeys' && Array.isArray(value)) {
    for (const name of Object.keys(result)) if (!value.includes(name)) delete result[name];
  }
  const removal = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1];
  if (removal && Array.isArray(value)) {
    const list = result[removal];
    result[removal] = (Array.isArray(list) ? list : []).filter((item) => !value.includes(item));
  }
  const ordered = /^\$setElementOrder\/(.+)$/.exec(key)?.[1];
  const list = ordered && result[ordered];
  if (ordered && Array.isArray(value) && Array.isArray(list)) result[ordered] = inOrder(ordered, list, value);
}

function inOrder(name: string, list: Json[], order: Json[]): Json[] {
  const rank = (item: Json) => {
    const place = isObject(item) ? order.findIndex((wanted) => sameElement(name, item, wanted)) : order.indexOf(item);
    return place < 0 ? order.length : place;
  };
  return list.toSorted((a, b) => rank(a) - rank(b));
}

function mergeKeyOf(name: string, item: Json | undefined): string | undefined {
  return MERGE_KEYS[name]?.find((key) => key === '' || (isObject(item) && key in item));
}

function sameElement(name: string, a: Json, b: Json): boolean {
  const key = mergeKeyOf(name, b);
  return Boolean(key) && isObject(a) && isObject(b) && a[key!] === b[key!];
}

function mergeList(name: string, target: Json | undefined, patch: Json[]): Json[] {
  const current = Array.isArray(target) ? [...target] : [];
  const replaces = patch.some((item) => isObject(item) && item.$patch === 'replace');
  const key = mergeKeyOf(name, patch[0]);
  if (replaces || key === undefined) return patch.filter((item) => !isObject(item) || !('$patch' in item));
  if (key === '') return [...new Set([...current, ...patch])];
  for (const item of patch) {
    const place = current.findIndex((other) => sameElement(name, other, item));
    if (isObject(item) && item.$patch === 'delete') {
      if (place >= 0) current.splice(place, 1);
    } else if (place >= 0) current[place] = strategicMergePatch(current[place], item);
    else current.push(withoutDirectives(item));
  }
  return current;
}

function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, inner]) => !key.startsWith('$') && inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutDirectives(inner)]));
}

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: Json;
}

/** RFC 6902. @throws ApiError 422 when an operation does not apply, 400 when it is no operation */
export function jsonPatch(target: Json, operations: Json): Json {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  return (operations as unknown as Operation[]).reduce(applyOperation, structuredClone(target));
}

function applyOperation(document: Json, { op, path, from, value }: Operation): Json {
  if (op === 'test') {
    if (JSON.stringify(valueAt(document, path)) === JSON.stringify(value)) return document;
    throw unprocessable(`testing value ${path} failed`);
  }
  if (op === 'copy') return insert(document, path, structuredClone(valueAt(document, from ?? '')));
  if (op === 'move') return insert(take(document, from ?? ''), path, valueAt(document, from ?? ''));
  if (op === 'remove') return take(document, path);
  if (value === undefined || (op !== 'add' && op !== 'replace')) throw badRequest(`unexpected operation: ${op}`);
  if (op === 'replace') {
    valueAt(document, path);
    return insert(path === '' ? document : take(document, path), path, value);
  }
  return insert(document, path, value);
}

function unprocessable(message: string): ApiError {
  return new ApiError(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`);
}

function pointer(path: string): string[] {
  const parts = path.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function child(value: Json, key: string, path: string): Json {
  const found = Array.isArray(value) ? value[Number(key)] : isObject(value) ? value[key] : undefined;
  if (found === undefined) throw unprocessable(`doc is missing path: ${path}`);
  return found;
}

function valueAt(document: Json, path: string): Json {
  return pointer(path).reduce((value, key) => child(value, key, path), document);
}

/** Returns a document with the value at the path; the containers on the way are copied, since the rest is shared. */
function insert(document: Json, path: string, value: Json): Json {
  const keys = pointer(path);
  if (keys.length === 0) return value;
  const copy = structuredClone(document);
  const last = keys.pop()!;
  const parent = keys.reduce((inner, key) => child(inner, key, path), copy);
  if (Array.isArray(parent)) parent.splice(last === '-' ? parent.length : Number(last), 0, value);
  else if (isObject(parent)) parent[last] = value;
  else throw unprocessable(`add operation does not apply: doc is missing path: ${path}`);
  return copy;
}

function take(document: Json, path: string): Json {
  const copy = structuredClone(document);
  const keys = pointer(path);
  const last = keys.pop() ?? '';
  const parent = keys.reduce((inner, key) => child(inner, key, path), copy);
  child(parent, last, path);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isObject(parent)) delete parent[last];
  return copy;
}
