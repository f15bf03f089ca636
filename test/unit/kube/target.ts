import type { Patience } from '../../../runner/kube/attempt.ts';
import { type Cluster, openCluster } from '../../../runner/kube/cluster.ts';
import type { AnyModule, Applied, Plan, WriteTarget } from '../../../runner/module.ts';
import type { Api } from '../../lab/api/api.ts';

/** Retries as in a real run, only faster. */
export const QUICK: Partial<Patience> = {
  pause: 5,
  pauseLimit: 50,
  unauthorized: 200,
  dns: 50,
  watch: 2_000,
  cleanup: 1_000,
};

export interface TestTarget extends WriteTarget {
  readonly lines: string[];
  readonly warnings: string[];
  /** What each node was said to be left in, in order. */
  readonly states: [node: string, state: string | undefined][];
  /** What earlier plans foresee, as in check mode. */
  readonly foresight: Record<string, unknown>;
  abort(reason: Error): void;
}

export interface TargetOptions {
  nodeName?: string;
  runId?: string;
  byHand?: boolean;
  /** milliseconds */
  deadline?: number;
}

/** A target of the module contract for modules that need the cluster only: everything else throws. */
export function targetOf(cluster: Cluster, options: TargetOptions = {}): TestTarget {
  const { nodeName = 'agent-1', runId = 'run-1', byHand = false, deadline = 30_000 } = options;
  const controller = new AbortController();
  const end = performance.now() + deadline;
  const remaining = () => end - performance.now();
  const lines: string[] = [];
  const warnings: string[] = [];
  const states: TestTarget['states'] = [];
  const foresight: Record<string, unknown> = {};
  const scope = { signal: controller.signal, remaining, progress: (message: string) => lines.push(message) };
  const members: Partial<TestTarget> = {
    host: { name: nodeName, address: '127.0.0.1', groups: [] },
    nodeName,
    begun: undefined,
    runId,
    byHand,
    signal: controller.signal,
    remaining,
    lines,
    warnings,
    states,
    cluster: async () => cluster.writer(scope),
    progress: (message) => void lines.push(message),
    warn: (message) => void warnings.push(message),
    nodeState: (node, state) => void states.push([node, state]),
    nodeIsWell: () => {},
    secret: (value) => value,
    foresight,
    foreseen: (key) => foresight[key],
    abort: (reason) => controller.abort(reason),
  };
  return new Proxy(members as TestTarget, {
    get(found, name) {
      if (name in found) return found[name as keyof TestTarget];
      throw new Error(`the module asked for target.${String(name)}`);
    },
  });
}

export function clusterOf(api: Api, patience: Partial<Patience> = QUICK): Cluster {
  return openCluster({ kind: 'kubeconfig', text: api.kubeconfig(), origin: 'the lab' }, patience);
}

/** The arguments with the defaults of the module's schema, as the engine hands them over. */
function argsFor(module: AnyModule, given: Record<string, unknown>): Record<string, unknown> {
  const properties = Object.entries(module.args.properties as Record<string, { default?: unknown }>);
  const defaults = properties.filter(([, schema]) => schema.default !== undefined);
  return { ...Object.fromEntries(defaults.map(([name, schema]) => [name, schema.default])), ...given };
}

export async function planOf(module: AnyModule, given: Record<string, unknown>, target: TestTarget): Promise<Plan> {
  const plan = await module.plan(argsFor(module, given), target);
  expectDeclared(module, plan.facts);
  return plan;
}

/** What a task registers must be what the module declares. */
function expectDeclared(module: AnyModule, facts: Record<string, unknown> = {}): void {
  const unknown = Object.keys(facts).filter((name) => !(name in module.returns.properties));
  if (unknown.length > 0) throw new Error(`${module.name} returns undeclared facts: ${unknown.join(', ')}`);
}

/** Plan, then apply when there are changes, as the engine does it. */
export async function runModule(
  module: AnyModule,
  given: Record<string, unknown>,
  target: TestTarget,
): Promise<{ plan: Plan; applied?: Applied }> {
  const plan = await planOf(module, given, target);
  if (plan.changes.length === 0 || !module.apply) return { plan };
  const applied = await module.apply(plan.next, target);
  expectDeclared(module, applied.facts);
  return { plan, applied };
}
