import { age, type Column, columnsByResource } from './columns.ts';
import type { KubeObject } from './objects.ts';
import type { ObjectRequest } from './request.ts';
import { apiVersionOf, keyOf } from './resources.ts';

export interface Table {
  kind: 'Table';
  apiVersion: 'meta.k8s.io/v1';
  metadata: object;
  columnDefinitions: { name: string; type: string; format: string; description: string; priority: number }[] | null;
  rows: { cells: unknown[]; object: object }[];
}

const DEFAULT_COLUMNS: readonly Column[] = [
  { name: 'Name', format: 'name', cell: (object) => object.metadata.name },
  { name: 'Age', cell: age },
];

/** Whether the client asks for the table that `kubectl get` prints. */
export function wantsTable(accept: string): boolean {
  return accept.split(',')[0]?.includes('as=Table') ?? false;
}

/** The objects as `kubectl get` prints them; what rows carry of the object follows the query's includeObject. */
export function tableOf(
  { resource, version, query }: ObjectRequest,
  objects: readonly KubeObject[],
  { metadata = {}, withColumns = true }: { metadata?: object; withColumns?: boolean } = {},
): Table {
  const columns = columnsByResource[keyOf(resource)] ?? DEFAULT_COLUMNS;
  const include = query.get('includeObject') ?? 'Metadata';
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withColumns
      ? columns.map(({ name, format = '', wide = false, type = 'string' }) => ({
          name,
          type,
          format,
          description: name,
          priority: wide ? 1 : 0,
        }))
      : null,
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object)),
      object: rowObject({ ...object, kind: resource.kind, apiVersion: apiVersionOf(resource, version) }, include),
    })),
  };
}

function rowObject(object: KubeObject, include: string): object {
  if (include === 'Object') return object;
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
  return include === 'None' ? partial : { ...partial, metadata: object.metadata };
}
