import { describe, expect, test } from 'vitest';
import { drain } from '../../../modules/kubernetes/drain.ts';
import { openCluster } from '../../../runner/kube/cluster.ts';
import type { KubeObject } from '../../../runner/module.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import type { Seeds } from '../../lab/api/cluster.ts';
import { daemonset, deployment, job, node, pdb, pod, statefulset } from '../../lab/api/fixtures.ts';
import { kubectl, kubectlMissing } from '../../lab/api/kubectl.ts';
import { flatten, seedThroughApi } from '../../lab/api/seed.ts';
import { realApiMissing, startRealApi } from '../../lab/real-api.ts';
import { needs } from '../../support/needs.ts';
import { sampled } from '../../support/size.ts';
import { QUICK, runModule, targetOf } from './target.ts';

const withoutKubectl = kubectlMissing();
const withoutServer = withoutKubectl ?? realApiMissing();

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
  /** Workloads of the pods that were made to leave. */
  left: string[];
  message: string;
  cordoned: boolean;
}

/** A cluster in the state of a case. */
interface Place {
  kubeconfig: string;
  [Symbol.asyncDispose](): Promise<void>;
}
type StartPlace = (one: Case) => Promise<Place>;
type Drain = (kubeconfig: string, one: Case) => Promise<{ drained: boolean; message: string }>;

describe('drain does what kubectl drain does', needs(withoutKubectl), () => {
  for (const one of sampled(CASES, 5)) test.concurrent(one.name, () => compare(one, labPlace));
});

// A bare API server has nobody who brings budgets up to date once they have changed.
describe('drain does what kubectl drain does, against a real API server', needs(withoutServer), () => {
  for (const one of CASES.filter(({ onRefusal }) => !onRefusal)) {
    test(one.name, { timeout: 120_000 }, () => compare(one, realPlace));
  }
});

async function compare(one: Case, start: StartPlace): Promise<void> {
  const [theirs, ours] = await Promise.all([
    outcomeWith(one, start, kubectlDrain),
    outcomeWith(one, start, reeveDrain),
  ]);
  expect(ours.drained, `kubectl: ${theirs.message}\nreeve: ${ours.message}`).toBe(theirs.drained);
  expect(ours.left).toEqual(one.evictsLess ? [] : theirs.left);
  if (theirs.drained && one.objects().length > 0) expect(theirs.left).not.toEqual([]);
  // kubectl leaves the cordon after a failure; we put back what was there.
  expect(theirs.cordoned).toBe(true);
  expect(ours.cordoned).toBe(ours.drained);
}

async function outcomeWith(one: Case, start: StartPlace, drainWith: Drain): Promise<Outcome> {
  await using place = await start(one);
  const before = await look(place.kubeconfig);
  const result = await drainWith(place.kubeconfig, one);
  const after = await look(place.kubeconfig);
  const stays = new Set(after.pods.filter((item) => !item.metadata.deletionTimestamp).map(uidOf));
  const left = before.pods.filter((item) => !stays.has(uidOf(item))).map(workloadName);
  return { ...result, left: left.sort(), cordoned: after.cordoned };
}

const uidOf = ({ metadata }: KubeObject): string => metadata.uid;
/** Names of pods are random; those of their owners tell which ones were meant. */
const workloadName = ({ metadata }: KubeObject): string =>
  metadata.ownerReferences?.[0]?.name ?? metadata.labels?.app ?? metadata.name;

async function look(kubeconfig: string): Promise<{ pods: KubeObject[]; cordoned: boolean }> {
  const cluster = openCluster({ kind: 'kubeconfig', text: kubeconfig }, QUICK);
  const reader = cluster.reader({ signal: new AbortController().signal, remaining: () => 30_000 });
  try {
    const { body } = await reader.read({ method: 'GET', path: '/api/v1/nodes/agent-1' });
    return { pods: await reader.list('/api/v1/pods'), cordoned: body.spec.unschedulable === true };
  } finally {
    cluster.close();
  }
}

function stateOf(one: Case): KubeObject[] {
  const objects = flatten(one.objects());
  const given = new Set(objects.filter(({ kind }) => kind === 'Node').map(({ metadata }) => metadata.name));
  const nodes = [node('server-1', { server: true }), node('agent-1'), node('agent-2')];
  return [...nodes.filter(({ metadata }) => !given.has(metadata.name)), ...objects] as KubeObject[];
}

const labPlace: StartPlace = async (one) => {
  const api = await startApi();
  api.seed(stateOf(one));
  let told = false;
  api.faults.onRequest = () => {
    const refused = ({ subresource, code, dryRun }: Api['requests'][number]) =>
      subresource === 'eviction' && code === 429 && !dryRun;
    if (!told && api.requests.some(refused)) {
      told = true;
      one.onRefusal?.(api);
    }
    return undefined;
  };
  return { kubeconfig: api.kubeconfig(), [Symbol.asyncDispose]: () => api.stop() };
};

const realPlace: StartPlace = async (one) => {
  const { kubeconfig, stop } = await startRealApi();
  await look(kubeconfig).catch(() => undefined);
  await seedThroughApi(kubeconfig, stateOf(one) as Seeds);
  return { kubeconfig, [Symbol.asyncDispose]: stop };
};

const kubectlDrain: Drain = async (kubeconfig, one) => {
  using client = kubectl(kubeconfig);
  const { code, stdout, stderr } = await client.run(['drain', 'agent-1', ...one.kubectl]);
  return { drained: code === 0, message: stdout + stderr };
};

const reeveDrain: Drain = async (kubeconfig, one) => {
  const cluster = openCluster({ kind: 'kubeconfig', text: kubeconfig }, QUICK);
  try {
    await runModule(drain, one.reeve, targetOf(cluster));
    return { drained: true, message: '' };
  } catch (error) {
    return { drained: false, message: (error as Error).message };
  } finally {
    cluster.close();
  }
};
