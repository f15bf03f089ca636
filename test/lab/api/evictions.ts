import { ApiError, badRequest, forbidden, type Status, success, tooManyRequests } from './api-error.ts';
import { budgetsFor, consumeDisruption } from './budgets.ts';
import { type DeleteOptions, deleteObject } from './deletion.ts';
import { type Budget, conditionOf, isFinished, isReady, type Pod, setCondition } from './objects.ts';
import type { Store } from './store.ts';

const VIOLATION = "Cannot evict pod as it would violate the pod's disruption budget.";

/**
 * The eviction subresource, in the order of pkg/registry/core/pod/storage/eviction.go: budgets are checked before the
 * preconditions, which only the delete looks at.
 * @throws ApiError 429 when a budget forbids it, 500 when two select the pod, 404, 409, 403 as a delete does
 */
export function evict(store: Store, pod: Pod, options: DeleteOptions): Status {
  if (!canIgnoreBudgets(pod)) admit(store, pod, options.dryRun === true);
  deleteObject(store, store.registry.named('pods'), pod.metadata.name, pod.metadata.namespace ?? '', options);
  if (!options.dryRun) markDisrupted(store, pod);
  return success();
}

function canIgnoreBudgets(pod: Pod): boolean {
  return isFinished(pod) || pod.status?.phase === 'Pending' || pod.metadata.deletionTimestamp !== undefined;
}

function admit(store: Store, pod: Pod, dryRun: boolean): void {
  const budgets = budgetsFor(store, pod);
  if (budgets.length > 1) {
    const why = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new ApiError(500, '', why);
  }
  const budget = budgets[0];
  if (!budget || (!isReady(pod) && unhealthyMayGo(budget))) return;
  checkBudget(store, budget);
  if (!dryRun) consumeDisruption(store, budget, pod);
}

function unhealthyMayGo({ spec, status }: Budget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return status !== undefined && status.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy;
}

function checkBudget(store: Store, { metadata, status, ...budget }: Budget): void {
  const cause = (message: string) => [{ reason: 'DisruptionBudget', message }];
  if (!status || (status.observedGeneration ?? 0) < (metadata.generation ?? 1)) {
    const why = `The disruption budget ${metadata.name} is still being processed by the server.`;
    throw tooManyRequests(VIOLATION, cause(why), 10);
  }
  if (status.disruptionsAllowed < 0) {
    throw forbidden(store.registry.named('poddisruptionbudgets'), metadata.name, 'pdb disruptions allowed is negative');
  }
  if (status.disruptionsAllowed > 0) return;
  const condition = conditionOf({ ...budget, metadata, status } as Budget, 'DisruptionAllowed');
  throw tooManyRequests(
    VIOLATION,
    cause(
      condition?.reason === 'SyncFailed'
        ? `The disruption budget ${metadata.name} does not allow evicting pods currently because it failed sync: ${condition.message}`
        : `The disruption budget ${metadata.name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
    ),
  );
}

function markDisrupted(store: Store, pod: Pod): void {
  store.update<Pod>('pods', pod.metadata.name, pod.metadata.namespace ?? '', (draft) => {
    if (!draft.status) return;
    draft.status.conditions ??= [];
    const reason = 'EvictionByEvictionAPI';
    setCondition(draft.status.conditions, {
      type: 'DisruptionTarget',
      status: 'True',
      reason,
      message: 'Eviction API: evicting',
    });
  });
}

/** What an Eviction body asks of the delete. @throws ApiError 400 when it names another pod */
export function evictionOptions(body: unknown, pod: string, dryRun: boolean): DeleteOptions {
  const eviction = body as { kind?: string; metadata?: { name?: string }; deleteOptions?: Record<string, unknown> };
  if (eviction.kind !== undefined && eviction.kind !== 'Eviction')
    throw badRequest(`not a Eviction object: ${eviction.kind}`);
  if (eviction.metadata?.name && eviction.metadata.name !== pod) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const { dryRun: inBody, ...rest } = eviction.deleteOptions ?? {};
  return { ...rest, dryRun: dryRun || (Array.isArray(inBody) && inBody.includes('All')) };
}
