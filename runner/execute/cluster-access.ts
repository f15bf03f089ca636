import { ReeveError } from '../errors.ts';
import type { Scope } from '../language/types.ts';
import type { ClusterWriter } from '../module.ts';
import type { ClusterAccess, RunState } from './run-state.ts';
import type { Where } from './where.ts';

/**
 * The cluster a task speaks to: a kubeconfig (input, variable, then KUBECONFIG), else through the hosts of `kube_via`,
 * else through the hosts of the group `servers`.
 * @throws ReeveError `no-cluster` when nothing says where the API is.
 */
export function openTaskCluster(run: RunState, scope: Scope, where: Where): Promise<ClusterWriter> {
  return run.openCluster(clusterAccess(run, scope, where));
}

function clusterAccess(run: RunState, scope: Scope, where: Where): ClusterAccess {
  const limits = { timeout: Math.max(1, where.deadline - Date.now()), signal: where.signal };
  const kubeconfig = text(run.settings.inputs.kubeconfig) ?? text(named(scope, 'kubeconfig'));
  if (kubeconfig) return { ...limits, kubeconfig, via: [] };
  const via = named(scope, 'kube_via');
  const servers = run.inventory.groups.has('servers') ? run.inventory.hostsOf('servers') : [];
  if (via !== undefined && via !== null) {
    const first = Array.isArray(via) ? via.map(String) : [String(via)];
    // The other servers serve when the named one does not answer.
    return { ...limits, via: [...first, ...servers.filter((name) => !first.includes(name))] };
  }
  if (process.env.KUBECONFIG) return { ...limits, kubeconfig: process.env.KUBECONFIG, via: [] };
  if (servers.length > 0) return { ...limits, via: servers };
  throw new ReeveError('no-cluster', 'nothing says where the Kubernetes API is', {
    hint: 'set KUBECONFIG, the variable kubeconfig, or kube_via: HOST in the inventory',
    exitCode: 2,
  });
}

function named(scope: Scope, name: string): unknown {
  return scope.has(name) ? scope.get(name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
