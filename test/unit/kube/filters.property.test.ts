import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DrainRules, selectPods } from '../../../modules/shared/kube-drain-filters.ts';
import { nameOf } from '../../../modules/shared/kube-objects.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { daemonset, deployment, node, ownedBy, pod, statefulset } from '../../lab/api/fixtures.ts';
import { type Kubectl, kubectl, kubectlMissing } from '../../lab/api/kubectl.ts';
import { needs } from '../../support/needs.ts';
import { tries } from '../../support/size.ts';
import { clusterOf } from './target.ts';

const missing = kubectlMissing();

const OWNERS = {
  replicas: deployment('web')[1]!,
  stateful: statefulset('db')[0]!,
  daemon: daemonset('agent')[0]!,
  lostDaemon: daemonset('lost')[0]!,
};

const aPod = fc.record({
  owner: fc.constantFrom('none', ...(Object.keys(OWNERS) as (keyof typeof OWNERS)[])),
  phase: fc.constantFrom('Running', 'Running', 'Pending', 'Succeeded', 'Failed'),
  emptyDir: fc.boolean(),
  mirror: fc.nat(9).map((one) => one === 0),
  deletedSecondsAgo: fc.constantFrom(undefined, undefined, undefined, 5, 5_000),
});
const aDrain = fc.record({
  pods: fc.array(aPod, { minLength: 1, maxLength: 12 }),
  force: fc.boolean(),
  ignore: fc.boolean(),
  empty: fc.boolean(),
  skip: fc.constantFrom(0, 600),
});
type Drain = typeof aDrain extends fc.Arbitrary<infer T> ? T : never;

/** What becomes of the node: the pods that refuse, or else those that are evicted. */
type Verdict = { refused: string[] } | { evicted: string[] };

let api: Api;
let client: Kubectl;

beforeAll(async () => {
  // Nothing moves: a state is only looked at.
  const controllers = { workloads: false, scheduler: false, kubelets: false, nodes: false, garbage: false };
  api = await startApi({ controllers });
  client = kubectl(api.kubeconfig());
  api.seed([node('agent-1'), OWNERS.replicas, OWNERS.stateful, OWNERS.daemon]);
});
afterAll(async () => {
  client[Symbol.dispose]();
  await api.stop();
});

function seed({ pods }: Drain): void {
  for (const old of api.state.list('pods')) api.state.remove('pods', old.metadata.name, 'default');
  for (const [index, { owner, deletedSecondsAgo, phase, ...rest }] of pods.entries()) {
    const options = {
      ...rest,
      node: 'agent-1',
      phase: phase as 'Running',
      ...(owner !== 'none' && { owner: ownedBy(OWNERS[owner]) }),
      ...(deletedSecondsAgo !== undefined && { deletedSecondsAgo, finalizers: ['example.com/hold'] }),
    };
    api.seed([pod(`p${index}`, options)]);
  }
}

async function kubectlVerdict({ force, ignore, empty, skip }: Drain): Promise<Verdict> {
  const flags = [
    ...(force ? ['--force'] : []),
    ...(ignore ? ['--ignore-daemonsets'] : []),
    ...(empty ? ['--delete-emptydir-data'] : []),
    `--skip-wait-for-delete-timeout=${skip}`,
  ];
  const { code, stdout, stderr } = await client.run(['drain', 'agent-1', '--dry-run=client', ...flags]);
  if (code === 0) return { evicted: [...stdout.matchAll(/^evicting pod (\S+)/gm)].map((match) => match[1]!).sort() };
  const lines = stderr.slice(stderr.indexOf('There are pending nodes')).split('\n');
  const reasons = lines.filter((line) => line.startsWith('cannot delete'));
  return { refused: [...new Set(reasons.flatMap((line) => line.match(/default\/p\d+/g) ?? []))].sort() };
}

async function ourVerdict({ force, ignore, empty, skip }: Drain): Promise<Verdict> {
  const cluster = clusterOf(api);
  const rules: DrainRules = {
    ...{ force, ignore_daemonsets: ignore, delete_emptydir_data: empty, skipWaitForDelete: skip },
  };
  const reader = cluster.reader({ signal: new AbortController().signal, remaining: () => 10_000 });
  try {
    const { evict, refused } = await selectPods(reader, 'agent-1', undefined, rules);
    if (refused.length > 0) return { refused: refused.map((one) => one.pod).sort() };
    return { evicted: evict.map((one) => nameOf(one.pod)).sort() };
  } finally {
    cluster.close();
  }
}

test('the filters decide as kubectl’s do', needs(missing), async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(aDrain, async (drain) => {
    seed(drain);
    const theirs = await kubectlVerdict(drain);
    seen.add(Object.keys(theirs)[0]!);
    expect(await ourVerdict(drain)).toEqual(theirs);
  });
  await fc.assert(property, { numRuns: tries(25), seed: 20_240_131, endOnFailure: true });
  expect(seen).toEqual(new Set(['refused', 'evicted']));
});
