import { type ClusterReader, type KubeObject, ReeveError, TaskFailure } from '../../runner/module.ts';
import { spoken } from './duration.ts';
import { budgetSentence, budgetsOver, listBudgets } from './kube-budgets.ts';
import type { EvictionResult, PodProgress } from './kube-evictor.ts';
import { notReady } from './kube-node-health.ts';
import { nameOf, nodePath } from './kube-objects.ts';

export interface Blocker {
  pod: string;
  why: string;
  /** What would allow it, as it is written in YAML. */
  argument?: string;
}

/** Pods that forbid a drain before it has begun. */
export function refusal(node: string, blockers: Blocker[], facts: Record<string, unknown>): TaskFailure {
  const lines = blockers.map(
    ({ pod, why, argument }) => `  ${pod} ${why}${argument ? ` (allow it: ${argument})` : ''}`,
  );
  const wanted = [
    ...new Set(blockers.map(({ argument }) => argument).filter((argument) => argument !== undefined)),
  ].sort();
  const count = blockers.length === 1 ? 'one pod forbids it' : `${blockers.length} pods forbid it`;
  return new TaskFailure(`${node} is not drained: ${count}\n${lines.join('\n')}`, {
    code: 'drain-refused',
    facts: { ...facts, blocked: blockers.map(({ pod, why }) => ({ pod, why })) },
    hint: `Nothing was evicted.${wanted.length > 0 ? ` To go on all the same: ${allowing(wanted)}` : ''}`,
  });
}

/** The arguments to give, and the inputs of the playbook that most drains are part of, where it has them. */
function allowing(wanted: string[]): string {
  const inputs = wanted.filter((argument) => !argument.startsWith('ignore_daemonsets'));
  const given = inputs.map(
    (argument) => `-e ${argument.replace('delete_emptydir_data', 'delete_emptydir').replace(': ', '=')}`,
  );
  return `drain: { ${wanted.join(', ')} }${given.length > 0 ? `; for upgrade-k3s: ${given.join(' ')}` : ''}`;
}

/** The failure of a drain that had begun: what holds each pod that is still there. */
export async function drainFailure(
  cluster: ClusterReader,
  node: string,
  result: EvictionResult,
  timeout: number,
  facts: Record<string, unknown>,
): Promise<TaskFailure> {
  const left = result.pods.filter(({ state }) => state !== 'gone');
  const failed = left.filter(({ state }) => state === 'failed');
  const shown = failed.length > 0 ? [...failed, ...left.filter(({ state }) => state === 'blocked')] : left;
  const away = await whyAway(cluster);
  const numbers = away ? new Map<string, string>() : await budgetNumbers(cluster, shown);
  const lines = shown.map((entry) => `  ${entry.name} ${reasonOf(entry, numbers)}`);
  const end = result.end === 'deadline' ? `was not drained in ${spoken(timeout)}` : 'cannot be drained';
  if (away) lines.push(`  ${away}`);
  else if (result.error instanceof ReeveError && failed.length === 0) lines.push(`  ${result.error.message}`);
  return new TaskFailure(`${node} ${end}; ${left.length} of ${result.pods.length} pods are left\n${lines.join('\n')}`, {
    code: result.end === 'deadline' ? 'drain-deadline' : 'drain-failed',
    facts: { ...facts, blocked: shown.map((entry) => ({ pod: entry.name, why: reasonOf(entry, numbers) })) },
    hint: away ? undefined : await hintFor(cluster, node, left),
    cause: result.error,
  });
}

function reasonOf({ state, why, budget, pod }: PodProgress, numbers: Map<string, string>): string {
  if (state === 'blocked' && budget) return `is held by the budget ${numbers.get(budget) ?? `${budget}: ${why}`}`;
  if (state === 'blocked') return `stays: ${why}`;
  if (state === 'failed') return `cannot be evicted: ${why}`;
  if (state === 'waiting') return 'could not be evicted yet';
  const finalizers: string[] = pod.metadata.finalizers ?? [];
  const held = finalizers.length > 0 ? `, held by finalizers ${finalizers.join(', ')}` : '';
  const grace = pod.spec?.terminationGracePeriodSeconds;
  return `is still terminating${grace === undefined ? '' : ` (its grace period is ${grace} s)`}${held}`;
}

/** The budgets' numbers as they are at the end; without them the server's own words do. */
async function budgetNumbers(cluster: ClusterReader, pods: PodProgress[]): Promise<Map<string, string>> {
  const numbers = new Map<string, string>();
  for (const budget of new Set(pods.map((entry) => entry.budget).filter((name) => name !== undefined))) {
    const [namespace, name] = budget.split('/');
    const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${name}`;
    try {
      const { status, body } = await cluster.read({ method: 'GET', path, cleanup: true, timeout: 5_000 });
      if (status === 200) numbers.set(budget, budgetSentence(body));
    } catch {
      // The API server is away: the drain's own error matters more.
    }
  }
  return numbers;
}

async function hintFor(cluster: ClusterReader, node: string, left: PodProgress[]): Promise<string | undefined> {
  const dead = left.some(({ state }) => state === 'leaving') ? await whyDead(cluster, node) : undefined;
  if (dead) return `${node} ${dead}. Its kubelet must come back to end the pods; until then they stay Terminating.`;
  const manager = left.some(({ pod }) => pod.metadata.labels?.['longhorn.io/component'] === 'instance-manager');
  if (manager) return longhornHint(cluster);
  if (!left.some(({ budget }) => budget)) return undefined;
  return (
    'Scale the workload up or mend its unready pods, then run again. ' +
    'Bypassing the budget (`disable_eviction: true`) means an outage of that workload.'
  );
}

/** What the client says when the API server does not answer now. */
async function whyAway(cluster: ClusterReader): Promise<string | undefined> {
  try {
    await cluster.read({ method: 'GET', path: '/readyz', cleanup: true, timeout: 3_000 });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function whyDead(cluster: ClusterReader, node: string): Promise<string | undefined> {
  try {
    const { status, body } = await cluster.read({ method: 'GET', path: nodePath(node), cleanup: true, timeout: 5_000 });
    return status === 200 ? notReady(body) : undefined;
  } catch {
    return undefined;
  }
}

/** Longhorn keeps an instance-manager while it holds a volume's last healthy replica. */
async function longhornHint(cluster: ClusterReader): Promise<string> {
  try {
    const volumes = await cluster.list('/apis/longhorn.io/v1beta2/volumes');
    const poor = volumes.filter(({ status }: KubeObject) => status?.robustness && status.robustness !== 'healthy');
    const named = poor.map((volume) => `${nameOf(volume)} (${volume.status.robustness})`).join(', ');
    return `Longhorn holds the last replica of a volume here. Volumes that are not healthy: ${named || 'none'}.`;
  } catch {
    return 'Longhorn holds the last replica of a volume here: look at its volumes.';
  }
}

/** Names the budgets of pods that have more than one, which the eviction API refuses. */
export async function twoBudgets(cluster: ClusterReader, pods: { pod: KubeObject; why: string }[]): Promise<Blocker[]> {
  const several = (why: string) => why.includes('more than one PodDisruptionBudget');
  const budgets = pods.some(({ why }) => several(why)) ? await listBudgets(cluster) : [];
  return pods.map(({ pod, why }) => {
    if (!several(why)) return { pod: nameOf(pod), why: `cannot be evicted: ${why}` };
    const names = budgetsOver(pod, budgets).map(nameOf).join(', ');
    return {
      pod: nameOf(pod),
      why: `is selected by more than one PodDisruptionBudget (${names}), which the API refuses to evict: delete one of them`,
    };
  });
}
