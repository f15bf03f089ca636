import { defineModule, type KubeObject, ReeveError, TaskFailure } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema, spoken } from '../shared/duration.ts';
import { type BrokenPod, brokenAmong, newDamage } from '../shared/kube-pod-health.ts';

/** So many offenders are named in full. */
const SHOWN = 20;

export const waitPods = defineModule({
  name: 'wait-pods',
  description: 'Waits until all pods are healthy but those that were broken before.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      node: { type: 'string', minLength: 1, description: 'Only pods on this node.' },
      namespace: { type: 'string', minLength: 1, description: 'Only pods of this namespace.' },
      label_selector: { type: 'string', description: 'Only pods that match.' },
      baseline: {
        type: 'array',
        items: { type: 'object', properties: { workload: { type: 'string', description: 'As in `broken`.' } } },
        default: [],
        description: 'Pods that were broken before, as `broken` of this module and `cluster-health` gives them.',
      },
      minimum: { type: 'integer', minimum: 0, default: 0, description: 'At least so many healthy pods.' },
      timeout: durationSchema('How long to wait.', '5m'),
    },
  },
  examples: [
    { title: 'All pods of the cluster', yaml: 'wait-pods: {}' },
    { title: 'Those of one application', yaml: 'wait-pods: { namespace: shop, label_selector: app=web, minimum: 2 }' },
  ],
  kind: 'check',
  on: 'cluster',
  waits: { inCheck: 'unless-pending', what: (args) => `all pods to be healthy, for at most ${args.timeout}` },
  returns: {
    type: 'object',
    properties: {
      healthy: { type: 'integer', description: 'How many pods are healthy.' },
      broken: { type: 'array', description: 'Those that are not: `pod`, `workload`, `node`, `reason`.' },
      waited: { type: 'number', description: 'Seconds it took.' },
    },
  },
  notes: 'Finished Jobs are healthy. A workload that had two broken pods before may have two broken pods now.',
  check: (given) => checkDurations(given, 'timeout'),
  async plan(args, target) {
    const cluster = await target.cluster();
    const timeout = Math.min(durationOf(args.timeout, 'timeout'), target.remaining());
    const started = performance.now();
    const waited = () => Number(((performance.now() - started) / 1000).toFixed(1));
    const baseline = args.baseline as { workload: string }[];
    let damage: BrokenPod[] = [];
    let facts: { healthy: number; broken: BrokenPod[] } = { healthy: 0, broken: [] };
    let listed = false;
    let told = '';
    const inspect = (pods: KubeObject[]) => {
      listed = true;
      const broken = brokenAmong(pods);
      facts = { healthy: pods.length - broken.length, broken };
      damage = newDamage(broken, baseline);
      const enough = facts.healthy >= args.minimum;
      const line = `${damage.length} pods are not healthy yet`;
      if (damage.length > 0 && line !== told) target.progress(line);
      told = line;
      return damage.length === 0 && enough ? true : undefined;
    };
    const path = args.namespace ? `/api/v1/namespaces/${encodeURIComponent(args.namespace)}/pods` : '/api/v1/pods';
    const query = {
      ...(args.node && { fieldSelector: `spec.nodeName=${args.node}` }),
      ...(args.label_selector && { labelSelector: args.label_selector }),
    };
    try {
      await cluster.until({ path, query, what: 'healthy pods' }, inspect, timeout);
    } catch (error) {
      if (!(error instanceof ReeveError && error.code === 'deadline')) throw error;
      const lack = listed
        ? `${facts.healthy} healthy pods, ${args.minimum} are wanted`
        : 'The pods could not be listed';
      throw failureOf(damage, { ...facts, waited: waited() }, lack, timeout, error);
    }
    return {
      changes: [],
      facts: { ...facts, waited: waited() },
      message: `${facts.healthy === 1 ? 'one pod is' : `${facts.healthy} pods are`} healthy`,
    };
  },
});

function failureOf(
  damage: BrokenPod[],
  facts: { healthy: number; broken: BrokenPod[]; waited: number },
  lack: string,
  timeout: number,
  cause: ReeveError,
): TaskFailure {
  const after = `after ${spoken(timeout)}`;
  const lines = damage
    .slice(0, SHOWN)
    .map(({ pod, node, reason }) => `  ${pod}${node ? ` on ${node}` : ''}: ${reason}`);
  if (damage.length > SHOWN) lines.push(`  and ${damage.length - SHOWN} more`);
  const away = cause.cause instanceof ReeveError ? `  ${cause.cause.message}` : undefined;
  const what =
    damage.length > 0
      ? `${damage.length} ${damage.length === 1 ? 'pod is' : 'pods are'} not healthy ${after}`
      : `${lack} ${after}`;
  return new TaskFailure([what, ...lines, ...(away ? [away] : [])].join('\n'), { code: 'deadline', facts, cause });
}
