import type { ClusterReader, KubeObject } from '../../runner/module.ts';
import { nameOf, selects } from './kube-objects.ts';

/** All PodDisruptionBudgets; none where the API has none. */
export async function listBudgets(cluster: ClusterReader, api: 'v1' | 'v1beta1' = 'v1'): Promise<KubeObject[]> {
  return cluster.list(`/apis/policy/${api}/poddisruptionbudgets`);
}

/** The budgets whose selector matches a pod; one without a selector matches none (policy/v1). */
export function budgetsOver(pod: KubeObject, budgets: readonly KubeObject[]): KubeObject[] {
  return budgets.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace && spec?.selector && selects(spec.selector, pod.metadata.labels),
  );
}

/** `default/web: needs 2 healthy pods, has 2, allows 0 evictions now`, and whether that can change by waiting. */
export function budgetSentence(budget: KubeObject): string {
  const { desiredHealthy = 0, currentHealthy = 0, disruptionsAllowed = 0, expectedPods = 0 } = budget.status ?? {};
  const numbers = `needs ${desiredHealthy} healthy pods, has ${currentHealthy}, allows ${disruptionsAllowed} evictions now`;
  return `${nameOf(budget)}: ${numbers}${neverAllows(budget) ? `; ${neverSentence(expectedPods)}` : ''}`;
}

function neverSentence(pods: number): string {
  return `with ${pods === 1 ? 'one pod' : `${pods} pods`} it can never allow one`;
}

/** For those of the pods that a budget holds which it can never let go: why waiting is of no use. Needs no rights. */
export async function hopelessWaits(
  cluster: ClusterReader,
  held: readonly { pod: KubeObject; budget: string }[],
): Promise<Map<KubeObject, string>> {
  if (held.length === 0) return new Map();
  const budgets = await listBudgets(cluster).catch(() => []);
  const found = held.flatMap(({ pod, budget }) => {
    const name = `${pod.metadata.namespace}/${budget}`;
    const one = budgets.find((candidate) => nameOf(candidate) === name);
    return one && neverAllows(one) ? [[pod, neverSentence(one.status.expectedPods)] as const] : [];
  });
  return new Map(found);
}

/** True when even with every pod healthy the budget would allow no eviction (maxUnavailable 0, a single replica). */
function neverAllows({ status }: KubeObject): boolean {
  return status !== undefined && status.expectedPods > 0 && status.desiredHealthy >= status.expectedPods;
}
