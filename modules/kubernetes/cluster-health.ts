import { type ClusterReader, defineModule, type KubeObject, ReeveError, TaskFailure } from '../../runner/module.ts';
import { oldestK3sVersion } from '../shared/k3s-version.ts';
import { summaryOf, troublesOf } from '../shared/kube-node-health.ts';
import { nameOf } from '../shared/kube-objects.ts';
import { brokenAmong, newDamage, stuckAmong } from '../shared/kube-pod-health.ts';

/** Something that is not as it should be; `workload` groups pods of one owner. */
interface Problem {
  check: 'api' | 'nodes' | 'pods' | 'volumes';
  name: string;
  reason: string;
  workload?: string;
}

const CHECKS = ['api', 'nodes', 'pods', 'volumes'] as const;

export const clusterHealth = defineModule({
  name: 'cluster-health',
  description: 'Checks that the API, all nodes, pods and volumes are well, but for what was broken before.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      checks: {
        type: 'array',
        items: { type: 'string', enum: CHECKS },
        default: [...CHECKS],
        description: 'What to look at.',
      },
      baseline: {
        type: 'array',
        items: { type: 'object' },
        default: [],
        description: 'The `problems` of an earlier look: they do not fail the check.',
      },
      fail: { type: 'boolean', default: true, description: 'Fail on a problem; false only reports.' },
    },
  },
  examples: [
    { title: 'Before an upgrade', yaml: 'cluster-health: {}' },
    { title: 'Only look', yaml: 'cluster-health: { fail: false, checks: [nodes, pods] }' },
  ],
  kind: 'check',
  on: 'cluster',
  returns: {
    type: 'object',
    properties: {
      healthy: { type: 'boolean', description: 'Whether there is no problem beyond the baseline.' },
      server_version: { type: 'string', description: 'Version of the API server.' },
      oldest_version: { type: 'string', description: 'The oldest version that a node runs.' },
      nodes: { type: 'array', description: 'Nodes: `name`, `ready`, `cordoned`, `version`, `server`.' },
      problems: { type: 'array', description: 'All problems: `check`, `name`, `reason`; a later baseline.' },
      new_problems: { type: 'array', description: 'Those that the baseline does not have.' },
      broken: { type: 'array', description: 'Broken pods, as `baseline` of `wait-pods` takes them.' },
      stuck: {
        type: 'array',
        description:
          'Pods that are Terminating for minutes longer than they may: `pod`, `node`, `since`. No problem, but told.',
      },
    },
  },
  notes:
    'A claim that waits for its first pod (volume binding mode WaitForFirstConsumer) is well. A cordoned node is no problem.',
  async plan({ checks, baseline, fail }, target) {
    const cluster = await target.cluster();
    const [version, nodes, pods] = await Promise.all([
      serverVersion(cluster),
      cluster.list('/api/v1/nodes'),
      cluster.list('/api/v1/pods'),
    ]);
    const broken = brokenAmong(pods);
    const found: Problem[] = [];
    if (checks.includes('api')) found.push(...(await apiProblems(cluster)));
    if (checks.includes('nodes')) found.push(...nodeProblems(nodes));
    if (checks.includes('pods')) {
      const problem = ({ pod, workload, reason }: (typeof broken)[number]): Problem => ({
        ...{ check: 'pods', name: pod, reason, workload },
      });
      found.push(...broken.map(problem));
    }
    if (checks.includes('volumes')) found.push(...(await volumeProblems(cluster, pods)));
    const fresh = beyond(found, baseline as unknown as Problem[]);
    const facts = {
      healthy: fresh.length === 0,
      server_version: version,
      oldest_version: oldestK3sVersion(nodes.map((node) => summaryOf(node).version)) ?? version,
      nodes: nodes.map(summaryOf),
      problems: found,
      new_problems: fresh,
      broken,
      stuck: checks.includes('pods') ? stuckAmong(pods) : [],
    };
    for (const { pod, node, since } of facts.stuck)
      target.warn(`${pod}${node ? ` on ${node}` : ''} is stuck Terminating since ${since}`);
    if (fail && fresh.length > 0) throw failureOf(fresh, facts);
    const known = found.length - fresh.length;
    if (fresh.length > 0) return { changes: [], facts, message: listed(fresh) };
    return { changes: [], facts, message: `healthy${known > 0 ? `, but for ${counted(known)} known before` : ''}` };
  },
});

function failureOf(problems: Problem[], facts: Record<string, unknown>): TaskFailure {
  return new TaskFailure(`The cluster has ${listed(problems)}`, { code: 'cluster-unhealthy', facts });
}

/** How many, and each on a line of its own. */
function listed(problems: Problem[]): string {
  return [counted(problems.length), ...problems.map(({ name, reason }) => `  ${name}: ${reason}`)].join('\n');
}

function counted(problems: number): string {
  return problems === 1 ? 'one problem' : `${problems} problems`;
}

/** Pods by workload (their names change), all others by what they are; a reason may change its wording. */
function beyond(found: Problem[], baseline: Problem[]): Problem[] {
  const known = new Set(baseline.filter(({ check }) => check !== 'pods').map(({ check, name }) => `${check} ${name}`));
  const before = baseline.filter(({ check, workload }) => check === 'pods' && workload) as { workload: string }[];
  const pods = found.filter(({ check }) => check === 'pods').map((one) => ({ ...one, pod: one.name, node: '' }));
  const newPods = new Set(newDamage(pods as never, before).map(({ pod }) => pod));
  return found.filter(({ check, name }) => (check === 'pods' ? newPods.has(name) : !known.has(`${check} ${name}`)));
}

async function serverVersion(cluster: ClusterReader): Promise<string> {
  const { body } = await cluster.read({ method: 'GET', path: '/version' });
  return body?.gitVersion ?? '';
}

async function apiProblems(cluster: ClusterReader): Promise<Problem[]> {
  const { status, body } = await cluster.read({ method: 'GET', path: '/readyz', query: { verbose: true } });
  if (status === 200) return [];
  const failing = String(body).match(/^\[-\]\S+/gm) ?? [];
  return [{ check: 'api', name: 'API server', reason: `not ready: ${failing.join(', ') || `HTTP ${status}`}` }];
}

function nodeProblems(nodes: KubeObject[]): Problem[] {
  return nodes.flatMap((node) =>
    troublesOf(node).map((reason): Problem => ({ check: 'nodes', name: `node ${nameOf(node)}`, reason })),
  );
}

async function volumeProblems(cluster: ClusterReader, pods: KubeObject[]): Promise<Problem[]> {
  const [volumes, claims, lazy] = await Promise.all([
    cluster.list('/api/v1/persistentvolumes'),
    cluster.list('/api/v1/persistentvolumeclaims'),
    lazyClasses(cluster),
  ]);
  const used = new Set(pods.flatMap((pod) => claimNames(pod).map((claim) => `${pod.metadata.namespace}/${claim}`)));
  const waits = (claim: KubeObject) => lazy.has(claim.spec?.storageClassName) && !used.has(nameOf(claim));
  return [
    ...volumes
      .filter(({ status }) => status?.phase === 'Failed' || status?.phase === 'Pending')
      .map((volume): Problem => problemOf('volume', volume)),
    ...claims
      .filter((claim) => claim.status?.phase !== 'Bound' && !waits(claim))
      .map((claim): Problem => problemOf('claim', claim)),
  ];
}

function problemOf(word: string, object: KubeObject): Problem {
  const { phase = 'Unknown', message } = object.status ?? {};
  return { check: 'volumes', name: `${word} ${nameOf(object)}`, reason: `${phase}${message ? ` (${message})` : ''}` };
}

function claimNames(pod: KubeObject): string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }: KubeObject) =>
    persistentVolumeClaim ? [persistentVolumeClaim.claimName] : [],
  );
}

/** Storage classes whose claims wait for a pod, as k3s's local-path does. */
async function lazyClasses(cluster: ClusterReader): Promise<Set<string>> {
  try {
    const classes = await cluster.list('/apis/storage.k8s.io/v1/storageclasses');
    const lazy = classes.filter(({ volumeBindingMode }) => volumeBindingMode === 'WaitForFirstConsumer');
    return new Set(lazy.map((one) => one.metadata.name));
  } catch (error) {
    if (error instanceof ReeveError && /^cluster-(not-found|forbidden)$/.test(error.code)) return new Set();
    throw error;
  }
}
