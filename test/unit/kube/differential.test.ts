import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { drain } from '../../../modules/kubernetes/drain.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import type { Seeds } from '../../lab/api/cluster.ts';
import { daemonset, deployment, job, node, pdb, pod, statefulset } from '../../lab/api/fixtures.ts';
import { clusterOf, runModule, targetOf } from './target.ts';

const run = promisify(execFile);
const kubectl = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'kubectl'))
  .find((path) => existsSync(path));
if (!kubectl) console.warn('skipped: drain compared with kubectl (no kubectl in PATH)');

/** One state and the same wish in both languages. */
interface Case {
  name: string;
  objects: () => Seeds;
  kubectl: string[];
  reeve: Record<string, unknown>;
  /** Done to the cluster when the first eviction has been refused. */
  onRefusal?: (api: Api) => void;
  /** Where reeve is meant to differ: it does not begin what cannot end. */
  evictsLess?: boolean;
}

const ON = { node: 'agent-1' };
const CASES: Case[] = [
  {
    name: 'replicated pods',
    objects: () => [deployment('web', { ...ON, replicas: 3 }), statefulset('db', ON), job('task', ON)],
    kubectl: [],
    reeve: {},
  },
  { name: 'nothing to do', objects: () => [], kubectl: [], reeve: {} },
  {
    name: 'a DaemonSet without leave',
    objects: () => [daemonset('agent', { nodes: ['agent-1'] }), deployment('web', ON)],
    kubectl: [],
    reeve: { ignore_daemonsets: false },
  },
  {
    name: 'a DaemonSet that is ignored',
    objects: () => [daemonset('agent', { nodes: ['agent-1'] }), deployment('web', ON)],
    kubectl: ['--ignore-daemonsets'],
    reeve: {},
  },
  {
    name: 'the pod of a DaemonSet that is gone',
    objects: () => [daemonset('agent', { nodes: ['agent-1'] }).slice(1), deployment('web', ON)],
    kubectl: ['--ignore-daemonsets'],
    reeve: {},
  },
  {
    name: 'the pod of a DaemonSet that is gone, forced',
    objects: () => [daemonset('agent', { nodes: ['agent-1'] }).slice(1), deployment('web', ON)],
    kubectl: ['--ignore-daemonsets', '--force'],
    reeve: { force: true },
  },
  {
    name: 'emptyDir without leave',
    objects: () => [deployment('cache', { ...ON, emptyDir: true })],
    kubectl: [],
    reeve: {},
  },
  {
    name: 'emptyDir with leave',
    objects: () => [deployment('cache', { ...ON, emptyDir: true })],
    kubectl: ['--delete-emptydir-data'],
    reeve: { delete_emptydir_data: true },
  },
  { name: 'an unmanaged pod', objects: () => [pod('bare', ON), deployment('web', ON)], kubectl: [], reeve: {} },
  {
    name: 'an unmanaged pod, forced',
    objects: () => [pod('bare', ON), deployment('web', ON)],
    kubectl: ['--force'],
    reeve: { force: true },
  },
  {
    name: 'finished pods of all kinds',
    objects: () => [
      pod('bare', { ...ON, phase: 'Succeeded' }),
      pod('failed', { ...ON, phase: 'Failed', emptyDir: true }),
      deployment('web', ON),
    ],
    kubectl: [],
    reeve: {},
  },
  {
    name: 'static pods',
    objects: () => [pod('kube-proxy', { ...ON, mirror: true, emptyDir: true }), deployment('web', ON)],
    kubectl: [],
    reeve: {},
  },
  {
    name: 'a budget that never allows',
    objects: () => [deployment('web', { ...ON, replicas: 2 }), pdb('web', { minAvailable: 2 }), deployment('free', ON)],
    kubectl: ['--timeout=1s'],
    reeve: { timeout: '1s', retry: '100ms' },
  },
  {
    name: 'a budget that opens after a while',
    objects: () => [deployment('web', { ...ON, replicas: 2 }), pdb('web', { minAvailable: 2 })],
    kubectl: ['--timeout=30s'],
    reeve: { timeout: '30s', retry: '100ms' },
    onRefusal: (api) => api.seed([pdb('web', { minAvailable: 0 })]),
  },
  {
    name: 'two budgets on one pod',
    objects: () => [
      deployment('web', ON),
      pdb('one', { matchLabels: { app: 'web' } }),
      pdb('two', { matchLabels: { app: 'web' } }),
      deployment('free', ON),
    ],
    kubectl: ['--timeout=5s'],
    reeve: { timeout: '5s' },
    evictsLess: true,
  },
  {
    name: 'two budgets, bypassed',
    objects: () => [
      deployment('web', ON),
      pdb('one', { matchLabels: { app: 'web' } }),
      pdb('two', { matchLabels: { app: 'web' }, minAvailable: 1 }),
    ],
    kubectl: ['--disable-eviction'],
    reeve: { disable_eviction: true },
  },
  {
    name: 'a pod selector',
    objects: () => [deployment('web', ON), deployment('db', ON), pod('bare', ON)],
    kubectl: ['--pod-selector=app=web'],
    reeve: { pod_selector: 'app=web' },
  },
  {
    name: 'a node that is cordoned already',
    objects: () => [node('agent-1', { unschedulable: true }), deployment('web', ON)],
    kubectl: [],
    reeve: {},
  },
  {
    name: 'a grace period',
    objects: () => [deployment('web', { ...ON, behaviour: { neverTerminates: true } })],
    kubectl: ['--grace-period=0', '--timeout=10s'],
    reeve: { grace_period: 0, timeout: '10s' },
  },
  {
    name: 'pods that are pending or not ready under a budget',
    objects: () => [
      deployment('web', { ...ON, replicas: 2, ready: false, behaviour: { neverReady: true } }),
      pdb('web', { minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
    ],
    kubectl: ['--timeout=20s'],
    reeve: { timeout: '20s', retry: '100ms' },
  },
];

interface Outcome {
  drained: boolean;
  /** What left the node by an accepted request, workload by workload. */
  left: string[];
  /** The names that the refusal speaks of. */
  message: string;
  cordoned: boolean;
}

describe.skipIf(!kubectl)('drain does what kubectl drain does', () => {
  for (const one of CASES) {
    test.concurrent(one.name, async () => {
      const [theirs, ours] = await Promise.all([outcomeWith(one, kubectlDrain), outcomeWith(one, reeveDrain)]);
      expect({ drained: ours.drained }, `kubectl: ${theirs.message}\nreeve: ${ours.message}`).toEqual({
        drained: theirs.drained,
      });
      if (one.evictsLess) expect(ours.left).toEqual([]);
      else expect(ours.left).toEqual(theirs.left);
      // kubectl leaves the cordon after a failure; we put back what was there.
      expect(theirs.cordoned).toBe(true);
      expect(ours.cordoned).toBe(ours.drained);
    });
  }
});

type Drain = (api: Api, one: Case) => Promise<{ drained: boolean; message: string }>;

async function outcomeWith(one: Case, drainWith: Drain): Promise<Outcome> {
  await using api = await startApi();
  api.seed([node('server-1', { server: true }), node('agent-1'), node('agent-2')]);
  api.seed(one.objects());
  let told = false;
  api.faults.onRequest = () => {
    const refused = api.requests.some(
      ({ subresource, code, dryRun }) => subresource === 'eviction' && code === 429 && !dryRun,
    );
    if (refused && !told) {
      told = true;
      one.onRefusal?.(api);
    }
    return undefined;
  };
  const result = await drainWith(api, one);
  const left = api.mutations
    .filter(
      ({ resource, verb, subresource }) => resource === 'pods' && (subresource === 'eviction' || verb === 'delete'),
    )
    .map(({ namespace, name }) => `${namespace}/${name.replace(/-[a-z0-9]{8,10}-[a-z0-9]{5}$|-[a-z0-9]{5}$/, '')}`);
  const cordoned = (api.state.get('nodes', 'agent-1')!.spec as { unschedulable?: boolean }).unschedulable === true;
  return { ...result, left: left.sort(), cordoned };
}

const kubectlDrain: Drain = async (api, one) => {
  const folder = await mkdtemp(join(tmpdir(), 'reeve-drain-'));
  const config = join(folder, 'config');
  await writeFile(config, api.kubeconfig());
  try {
    const { stdout } = await run(kubectl!, ['--kubeconfig', config, 'drain', 'agent-1', ...one.kubectl], {
      env: { PATH: process.env.PATH, HOME: folder },
    });
    return { drained: true, message: stdout };
  } catch (error) {
    return { drained: false, message: (error as { stderr: string }).stderr };
  } finally {
    await rm(folder, { recursive: true });
  }
};

const reeveDrain: Drain = async (api, one) => {
  const cluster = clusterOf(api);
  try {
    await runModule(drain, one.reeve, targetOf(cluster));
    return { drained: true, message: '' };
  } catch (error) {
    return { drained: false, message: (error as Error).message };
  } finally {
    cluster.close();
  }
};
