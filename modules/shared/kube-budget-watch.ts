import type { ClusterReader } from '../../runner/module.ts';
import { nameOf } from './kube-objects.ts';

/**
 * Calls back with the budgets that changed and allow an eviction now, so that nobody has to wait for the next try. A
 * server that does not let us watch them (no right, no such API) is no failure: then the tries alone must do.
 */
export async function watchBudgets(
  cluster: ClusterReader,
  options: { signal: AbortSignal; timeout: number; onOpen(budgets: ReadonlySet<string>): void },
): Promise<void> {
  const seen = new Map<string, string>();
  try {
    await cluster.until(
      { path: '/apis/policy/v1/poddisruptionbudgets', what: 'budgets to open', signal: options.signal },
      (budgets) => {
        const open = new Set<string>();
        for (const budget of budgets) {
          const { resourceVersion } = budget.metadata;
          const changed = seen.get(nameOf(budget)) !== resourceVersion;
          seen.set(nameOf(budget), resourceVersion);
          if (changed && budget.status?.disruptionsAllowed > 0) open.add(nameOf(budget));
        }
        if (open.size > 0) options.onOpen(open);
        return undefined;
      },
      options.timeout,
    );
  } catch {
    // See above; the signal and the deadline end it in any case.
  }
}
