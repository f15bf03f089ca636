import { type Cause, forbidden, invalid, notFound } from './api-error.ts';
import type { KubeObject, LabelSelector, PodTemplate } from './objects.ts';
import { keyOf, type Resource } from './resources.ts';
import { matchesSelector } from './selectors.ts';
import type { Store } from './store.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const required = (field: string, message = 'Required value'): Required<Cause> => ({
  reason: 'FieldValueRequired',
  message,
  field,
});

const wrong = (field: string, value: unknown, why: string): Required<Cause> => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
});

/** The few checks whose failure a client meets in practice. @throws ApiError 422 naming each field */
export function validate(resource: Resource, object: KubeObject): void {
  const { name } = object.metadata;
  const causes: Required<Cause>[] = [];
  if (!name) causes.push(required('metadata.name', 'Required value: name or generateName is required'));
  else if (!SUBDOMAIN.test(name)) causes.push(wrong('metadata.name', name, SUBDOMAIN_RULE));
  const spec = (object.spec ?? {}) as Record<string, unknown>;
  const key = keyOf(resource);
  if (key === 'pods' && !(spec.containers as unknown[] | undefined)?.length) causes.push(required('spec.containers'));
  if (key === 'poddisruptionbudgets.policy' && spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    causes.push(wrong('spec', {}, 'minAvailable and maxUnavailable cannot be both set'));
  }
  if (resource.group === 'apps') {
    const template = spec.template as PodTemplate | undefined;
    const selector = spec.selector as LabelSelector | undefined;
    if (!selector) causes.push(required('spec.selector'));
    else if (!matchesSelector(selector, template?.metadata?.labels)) {
      causes.push(
        wrong(
          'spec.template.metadata.labels',
          template?.metadata?.labels ?? {},
          '`selector` does not match template `labels`',
        ),
      );
    }
    if (!template?.spec?.containers?.length) causes.push(required('spec.template.spec.containers'));
  }
  if (causes.length > 0) throw invalid(resource, name ?? '', causes);
}

/**
 * The NamespaceLifecycle admission: nothing new in a namespace that is missing or on its way out.
 * @throws ApiError 404 or 403
 */
export function admitToNamespace(store: Store, resource: Resource, name: string, namespace: string): void {
  const found = store.get('namespaces', namespace);
  if (!found) throw notFound(store.registry.named('namespaces'), namespace);
  if (!found.metadata.deletionTimestamp) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(resource, name, why, [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]);
}
