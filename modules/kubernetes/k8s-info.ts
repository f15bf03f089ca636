import { defineModule, type KubeObject, TaskFailure } from '../../runner/module.ts';
import { findKind, pathOf } from '../shared/kube-kinds.ts';
import { hideValues } from '../shared/kube-manifest.ts';
import { objectIn } from '../shared/kube-objects.ts';

export const k8sInfo = defineModule({
  name: 'k8s-info',
  description: 'Reads objects of the Kubernetes API.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['kind'],
    properties: {
      kind: { type: 'string', minLength: 1, description: 'Kind, plural or short name: Pod, pods, po.' },
      api_version: {
        type: 'string',
        description: 'Group and version, such as `longhorn.io/v1beta2`; the usual kinds do not need it.',
      },
      name: { type: 'string', minLength: 1, description: 'Only this object.' },
      namespace: {
        type: 'string',
        minLength: 1,
        description: 'Only of this namespace; with `name` the default is `default`, else all namespaces.',
      },
      label_selector: { type: 'string', description: 'Only objects that match, such as `app=web,tier!=test`.' },
      field_selector: { type: 'string', description: 'Only objects that match, such as `status.phase=Running`.' },
    },
  },
  examples: [
    { title: 'All pods on a node', yaml: 'k8s-info: { kind: Pod, field_selector: spec.nodeName=agent-1 }' },
    { title: 'One Deployment', yaml: 'k8s-info: { kind: Deployment, namespace: shop, name: web }' },
  ],
  kind: 'check',
  on: 'cluster',
  returns: {
    type: 'object',
    properties: {
      resources: { type: 'array', description: 'The objects found; empty when there is none.' },
      count: { type: 'integer', description: 'How many there are.' },
    },
  },
  notes: 'An object that does not exist is no failure: `count` is 0. Values of Secrets are masked in all output.',
  check: (given) =>
    given.name !== undefined && (given.label_selector !== undefined || given.field_selector !== undefined)
      ? '`name` does not go with a selector'
      : undefined,
  async plan(args, target) {
    const cluster = await target.cluster();
    const kind = await findKind(cluster, args.kind, args.api_version);
    const namespace = args.namespace ?? (args.name === undefined ? undefined : 'default');
    if (args.namespace !== undefined && !kind.namespaced) {
      throw new TaskFailure(`${kind.kind} objects belong to no namespace`, { hint: 'Leave `namespace` out.' });
    }
    let resources: KubeObject[];
    if (args.name !== undefined) {
      const path = pathOf(kind, namespace, args.name);
      const response = await cluster.read({ method: 'GET', path });
      resources = response.status === 404 ? [] : [objectIn(response, `${kind.kind} ${args.name}`)];
    } else {
      resources = await cluster.list(pathOf(kind, namespace), {
        ...(args.label_selector && { labelSelector: args.label_selector }),
        ...(args.field_selector && { fieldSelector: args.field_selector }),
      });
    }
    // A list says its kind once, for all its items.
    const full = resources.map((one) => ({ ...one, apiVersion: kind.apiVersion, kind: kind.kind }));
    for (const one of full) hideValues(one, target);
    return { changes: [], facts: { resources: full, count: full.length }, message: `${full.length} found` };
  },
});
