import {
  type Budget,
  type BudgetStatus,
  controllerOf,
  isFinished,
  isReady,
  type Pod,
  setCondition,
  timestamp,
} from './objects.ts';
import { scaledValue } from './quantity.ts';
import { matchesSelector } from './selectors.ts';
import type { Store } from './store.ts';

/** The budgets that select the pod, of its namespace, sorted by name. */
export function budgetsFor(store: Store, pod: Pod): Budget[] {
  const budgets = store.list<Budget>('poddisruptionbudgets', pod.metadata.namespace);
  return budgets.filter((budget) => matchesSelector(budget.spec.selector, pod.metadata.labels));
}

/** Brings the status of every budget up to date: the disruption controller. */
export function syncBudgets(store: Store): void {
  for (const budget of store.list<Budget>('poddisruptionbudgets')) {
    const { name, namespace = '' } = budget.metadata;
    store.update<Budget>('poddisruptionbudgets', name, namespace, (draft) => {
      draft.status = budgetStatus(store, budget);
    });
  }
}

/** The status that kube-controller-manager's disruption controller would compute now (pkg/controller/disruption). */
export function budgetStatus(store: Store, budget: Budget): BudgetStatus {
  const selected = store
    .list<Pod>('pods', budget.metadata.namespace)
    .filter((pod) => matchesSelector(budget.spec.selector, pod.metadata.labels) && !isFinished(pod));
  const conditions = structuredClone(budget.status?.conditions ?? []);
  const generation = budget.metadata.generation ?? 1;
  try {
    const { expectedPods, desiredHealthy } = expectation(store, budget, selected);
    const currentHealthy = selected.filter((pod) => isReady(pod) && !pod.metadata.deletionTimestamp).length;
    const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
    setCondition(conditions, {
      type: 'DisruptionAllowed',
      status: disruptionsAllowed > 0 ? 'True' : 'False',
      reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
      message: '',
      observedGeneration: generation,
    });
    const numbers = { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods };
    return { observedGeneration: generation, ...numbers, conditions };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message } as const;
    setCondition(conditions, { ...condition, observedGeneration: generation });
    const previous = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
    return { ...previous, observedGeneration: generation, disruptionsAllowed: 0, conditions };
  }
}

function expectation(store: Store, { spec }: Budget, pods: Pod[]): { expectedPods: number; desiredHealthy: number } {
  if (spec.maxUnavailable !== undefined) {
    const expectedPods = expectedCount(store, pods);
    const allowed = scaledValue(spec.maxUnavailable, expectedPods);
    return { expectedPods, desiredHealthy: Math.max(0, expectedPods - allowed) };
  }
  if (typeof spec.minAvailable === 'string') {
    const expectedPods = expectedCount(store, pods);
    return { expectedPods, desiredHealthy: scaledValue(spec.minAvailable, expectedPods) };
  }
  return { expectedPods: pods.length, desiredHealthy: spec.minAvailable ?? 0 };
}

/** How many pods the owners want, which percentages and maxUnavailable count from. */
function expectedCount(store: Store, pods: Pod[]): number {
  const counts = new Map<string, number>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner) continue;
    if (counts.has(owner.uid)) continue;
    const replicas = replicasOf(store, owner, pod.metadata.namespace ?? 'default');
    if (replicas === undefined)
      throw new TypeError(`${owner.kind}.${owner.apiVersion} does not implement the scale subresource`);
    counts.set(owner.uid, replicas);
  }
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function replicasOf(store: Store, owner: { apiVersion: string; kind: string; name: string }, namespace: string) {
  const resource = store.registry.ofKind(owner.apiVersion, owner.kind);
  if (!resource?.scale) return undefined;
  const found = store.get(resource, owner.name, namespace);
  return found ? ((found.spec as { replicas?: number }).replicas ?? 1) : 0;
}

/** Takes one disruption from the budget until its controller counts again, as an eviction does. */
export function consumeDisruption(store: Store, budget: Budget, pod: Pod): void {
  const { name, namespace = '' } = budget.metadata;
  store.update<Budget>('poddisruptionbudgets', name, namespace, (draft) => {
    const status = draft.status!;
    status.disruptionsAllowed--;
    status.disruptedPods = { ...status.disruptedPods, [pod.metadata.name]: timestamp() };
  });
}
