import { apiVersionOf, type Registry, type Resource } from './resources.ts';

/** What kubectl before 1.27 reads /openapi/v2 as; it asks for nothing else. */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/** The answer's type: as asked, but for the `@`, which no media type may have (kube-openapi does the same). */
export const OPENAPI_V2_PROTOBUF_ANSWER = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

const LENGTH_DELIMITED = 2;

/** One field of a protobuf message: text or a message within. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

/**
 * The swagger document in gnostic's protobuf form (openapiv2/OpenAPIv2.proto, whose field numbers these are): no
 * definitions, so that clients leave validation to the server, and per kind a PATCH that takes `dryRun`, without which
 * kubectl refuses --dry-run=server.
 */
export function openApiV2Protobuf(registry: Registry): Buffer {
  const info = message(field(1, 'reeve lab'), field(2, 'v1'));
  const paths = registry.all.flatMap((resource) => resource.versions.map((version) => pathOf(resource, version)));
  return message(field(1, '2.0'), field(2, info), field(8, message(...paths.map((path) => field(2, path)))));
}

function pathOf(resource: Resource, version: string): Buffer {
  const prefix = resource.group === '' ? '/api' : '/apis';
  const namespace = resource.namespaced ? '/namespaces/{namespace}' : '';
  const name = `${prefix}/${apiVersionOf(resource, version)}${namespace}/${resource.plural}/{name}`;
  const patch = message(...['dryRun', 'fieldManager'].map(queryParameter), gvkExtension(resource, version));
  return message(field(1, name), field(2, field(8, patch)));
}

/** Operation.parameters → ParametersItem.parameter → non_body_parameter → query_parameter_sub_schema. */
function queryParameter(name: string): Buffer {
  return field(8, field(1, field(2, field(3, message(field(2, 'query'), field(4, name))))));
}

/** Operation.vendor_extension: a NamedAny whose value is YAML. */
function gvkExtension({ group, kind }: Resource, version: string): Buffer {
  const yaml = `group: "${group}"\nkind: ${kind}\nversion: ${version}\n`;
  return field(13, message(field(1, 'x-kubernetes-group-version-kind'), field(2, field(2, yaml))));
}
