import {
  type ArgsOf,
  type ClusterReader,
  defineModule,
  type KubeObject,
  type ReadTarget,
  ReeveError,
  TaskFailure,
  type WriteTarget,
} from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema } from '../shared/duration.ts';
import { budgetSentence, budgetsOver, hopelessWaits, listBudgets } from '../shared/kube-budgets.ts';
import {
  type Cordon,
  cordonAsFound,
  cordonFor,
  cordonKey,
  foreseenCordon,
  handOver,
  putCordon,
} from '../shared/kube-cordon.ts';
import { type Blocker, drainFailure, refusal, twoBudgets } from '../shared/kube-drain-errors.ts';
import { type DrainRules, type DrainSelection, selectPods } from '../shared/kube-drain-filters.ts';
import { dryRunEviction, type EvictionApi, type EvictionOutcome, evictionApi } from '../shared/kube-eviction.ts';
import { evictPods } from '../shared/kube-evictor.ts';
import { type Forecast, forecastDrain, sentencesOf } from '../shared/kube-forecast.ts';
import { notReady } from '../shared/kube-node-health.ts';
import { nameOf, readNode } from '../shared/kube-objects.ts';

/** In check mode: that an earlier task moves pods about. */
const DRAINED = 'drained';
/** milliseconds that a node may take to be Ready before undo gives up opening it. */
const READY_LIMIT = 300_000;
/** Kept back from the task's time for putting the cordon back. */
const RESERVE = 2_000;

const args = {
  type: 'object',
  additionalProperties: false,
  properties: {
    node: { type: 'string', minLength: 1, description: 'Name of the node; default: the host’s own.' },
    timeout: durationSchema('For evicting and waiting together; 0: as long as the task may take.', '5m'),
    grace_period: {
      type: 'integer',
      minimum: -1,
      default: -1,
      description: 'Seconds each pod gets to end itself; -1: its own. 0 kills at once.',
    },
    ignore_daemonsets: {
      type: 'boolean',
      default: true,
      description: 'Leave pods of DaemonSets; without it they forbid the drain.',
    },
    delete_emptydir_data: {
      type: 'boolean',
      default: false,
      description: 'Evict pods with emptyDir volumes too; the data in them is lost.',
    },
    force: {
      type: 'boolean',
      default: false,
      description: 'Evict pods too that no controller would start again.',
    },
    disable_eviction: {
      type: 'boolean',
      default: false,
      description: 'Delete pods instead of evicting them: bypasses every PodDisruptionBudget.',
    },
    pod_selector: { type: 'string', description: 'Label selector: only these pods are evicted.' },
    skip_wait_for_delete_timeout: durationSchema(
      'Do not wait for pods that have been terminating for longer than this; 0: wait for all.',
      0,
    ),
    retry: durationSchema('Pause between tries of a pod that a budget holds.', '5s'),
    forecast: {
      type: 'boolean',
      default: true,
      description: 'Look first for pods that could not run elsewhere and for rival controllers.',
    },
  },
} as const;

type Args = ArgsOf<typeof args>;

interface Next {
  node: string;
  args: Args;
  api: EvictionApi;
  found: Cordon;
}

/** The node as it was before the drain. */
interface Undo {
  node: string;
  found: Cordon;
}

export const drain = defineModule({
  name: 'drain',
  description: 'Closes a node for new pods and evicts those it has, as `kubectl drain` does.',
  args,
  examples: [
    { title: 'Drain the host’s own node', yaml: 'drain: {}' },
    {
      title: 'Accept the loss of emptyDir data, and wait longer',
      yaml: 'drain: { delete_emptydir_data: true, timeout: 15m }',
    },
  ],
  kind: 'action',
  guard: 'Runs when the node is open for new pods, or has pods that would be evicted.',
  on: 'cluster',
  returns: {
    type: 'object',
    properties: {
      node: { type: 'string', description: 'Name of the node.' },
      was_cordoned: { type: 'boolean', description: 'Whether it was closed before this task.' },
      planned: { type: 'array', items: { type: 'string' }, description: 'Pods to evict, as found.' },
      evicted: { type: 'array', items: { type: 'string' }, description: 'Pods that have left.' },
      ignored: { type: 'array', items: { type: 'string' }, description: 'Pods of DaemonSets, which stay.' },
      skipped: { type: 'array', description: 'Static pods and others left alone: `pod`, `why`.' },
      blocked: { type: 'array', description: 'Pods that may not leave: `pod`, `why`.' },
      forecast: { type: 'object', description: 'Findings: `pinned`, `unplaced` (an estimate), `rivals`.' },
      duration: { type: 'number', description: 'Seconds it took.' },
    },
  },
  notes:
    'Before anything is touched every eviction is tried as a dry run on the server, so that missing rights, budgets that ' +
    'contradict each other and pods that forbid the drain are found first. A drain that fails puts the cordon back as it ' +
    'found it. Each eviction is pinned to the pod’s uid: a replacement of the same name is never evicted.',
  check: (given) => checkDurations(given, 'timeout', 'skip_wait_for_delete_timeout', 'retry'),
  async plan(given, target) {
    const cluster = await target.cluster();
    const name = given.node ?? target.nodeName;
    const now = foreseenCordon(name, await readNode(cluster, name), target);
    if (!now.cordoned) target.nodeIsWell(name, 'cordon');
    // What the run found before it died in this drain: the cordon may be of that one's making.
    const found = (target.begun as Undo | undefined)?.found ?? now;
    const selection = await selectPods(cluster, name, given.pod_selector, rulesOf(given));
    const pods = selection.evict.map(({ pod }) => pod);
    const facts = factsOf(name, found, selection);
    const api = given.disable_eviction ? 'delete' : await evictionApi(cluster);
    const trials = await tryEvictions(cluster, pods, api, given, facts, selection.refused, name);
    const forecast = await forecastOf(cluster, given, name, pods, target);
    await warnAbout(cluster, given, name, selection, forecast, target);

    // Pods that earlier drains move may come here.
    const asOfNow = target.foreseen(DRAINED) === true ? ' (as of now)' : '';
    const changes = selection.evict.map(({ pod, warning }, index) => ({
      summary: evictionSummary(pod, trials[index]!, warning, api) + asOfNow,
    }));
    if (!now.cordoned) changes.unshift({ summary: `${name}: cordon` });
    const blocked = trials.flatMap((trial, index) =>
      trial.kind === 'blocked' ? [{ pod: nameOf(pods[index]!), why: trial.why }] : [],
    );
    const planned = { ...facts, blocked, ...(forecast && { forecast }) };
    const { duration: _, ...foreseeable } = planned;
    return {
      changes,
      facts: planned,
      predicted: { ...foreseeable, evicted: facts.planned },
      foresees: { [cordonKey(name)]: true, ...(pods.length > 0 && { [DRAINED]: true }) },
      next: { node: name, args: given, api, found } satisfies Next,
      undo: { node: name, found } satisfies Undo,
      ...(changes.length === 0 && { message: `${name} is drained already` }),
    };
  },
  async apply(next: Next, target) {
    const { node, found } = next;
    // Said before it is done: a run that dies in between must not leave a cordon that nobody knows of.
    if (!found.cordoned) target.nodeState(node, 'cordoned', 'cordon');
    try {
      return await drainNode(next, target);
    } catch (error) {
      if (!found.cordoned) await putBack(node, target);
      throw error;
    }
  },
  async undo({ node, found }: Undo, target) {
    if (found.cordoned) return;
    const cluster = await target.cluster();
    await untilReady(cluster, node, target);
    await putCordon(cluster, node, cordonAsFound(found, target.runId));
    target.nodeState(node, undefined, 'cordon');
  },
  foreseeUndo({ node }: { node: string }) {
    return { stays: [`the pods that have left ${node} stay where they are now`] };
  },
});

/** A node that is not well stays closed. @throws TaskFailure `not-ready` */
async function untilReady(cluster: ClusterReader, node: string, target: WriteTarget): Promise<void> {
  let last = 'is not there';
  const query = { fieldSelector: `metadata.name=${node}` };
  const what = `node ${node} to be Ready`;
  const inspect = ([found]: KubeObject[]) => {
    last = found ? (notReady(found) ?? '') : 'is not there';
    return last === '' ? true : undefined;
  };
  try {
    await cluster.until({ path: '/api/v1/nodes', query, what }, inspect, Math.min(READY_LIMIT, target.remaining()));
  } catch (error) {
    if (!(error instanceof ReeveError && error.code === 'deadline')) throw error;
    throw new TaskFailure(`Node ${node} ${last}; it stays cordoned`, {
      code: 'not-ready',
      hint: `mend the node and run the rollback again, or open it yourself: kubectl uncordon ${node}`,
    });
  }
}

async function drainNode({ node, args: given, api, found }: Next, target: WriteTarget) {
  const started = performance.now();
  const cluster = await target.cluster();
  await putCordon(cluster, node, cordonFor({ runId: target.runId, byHand: false }));
  // Only now can no further pod arrive.
  const selection = await selectPods(cluster, node, given.pod_selector, rulesOf(given));
  const facts = factsOf(node, found, selection);
  if (selection.refused.length > 0) throw refusal(node, selection.refused, facts);
  const pods = selection.evict.map(({ pod }) => pod);
  const timeout = Math.max(1, Math.min(durationOf(given.timeout, 'timeout') || Infinity, target.remaining() - RESERVE));
  const result = await evictPods(cluster, pods, {
    node,
    api,
    gracePeriod: graceOf(given),
    retry: durationOf(given.retry, 'retry'),
    timeout: Math.min(timeout, 2 ** 31 - 1),
    skipWaitForDelete: durationOf(given.skip_wait_for_delete_timeout, 'skip_wait_for_delete_timeout') / 1000,
    signal: target.signal,
    progress: (message) => target.progress(message),
  });
  const evicted = result.pods.filter(({ state }) => state === 'gone').map(({ name }) => name);
  const duration = Number(((performance.now() - started) / 1000).toFixed(1));
  const done = { ...facts, evicted, duration };
  if (result.end !== 'done') throw await drainFailure(cluster, node, result, timeout, done);
  if (target.byHand) await putCordon(cluster, node, handOver(target.runId));
  return {
    facts: done,
    message: `${evicted.length === 1 ? 'one pod has' : `${evicted.length} pods have`} left in ${duration} s`,
    undo: { node, found } satisfies Undo,
  };
}

/** Takes this run's cordon away again, also after the deadline or an interruption. */
async function putBack(node: string, target: WriteTarget): Promise<void> {
  try {
    const own = ({ by }: Cordon) => (by === target.runId ? { cordoned: false } : undefined);
    await putCordon(await target.cluster(), node, own, { cleanup: true });
    target.nodeState(node, undefined, 'cordon');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    target.warn(`${node} may be left cordoned: ${why}`);
  }
}

function graceOf({ grace_period: grace }: Args): number | undefined {
  return grace < 0 ? undefined : grace;
}

function rulesOf(given: Args): DrainRules {
  return {
    force: given.force,
    ignore_daemonsets: given.ignore_daemonsets,
    delete_emptydir_data: given.delete_emptydir_data,
    skipWaitForDelete: durationOf(given.skip_wait_for_delete_timeout, 'skip_wait_for_delete_timeout') / 1000,
  };
}

/** What the server would answer to each eviction. @throws TaskFailure `drain-refused` naming all pods that forbid it */
async function tryEvictions(
  cluster: ClusterReader,
  pods: KubeObject[],
  api: EvictionApi,
  given: Args,
  facts: Record<string, unknown>,
  refused: Blocker[],
  node: string,
): Promise<EvictionOutcome[]> {
  const trials = await Promise.all(pods.map((pod) => dryRunEviction(cluster, pod, api, graceOf(given))));
  const failed = trials.flatMap((trial, index) =>
    trial.kind === 'failed' ? [{ pod: pods[index]!, why: trial.why }] : [],
  );
  const blockers = [...refused, ...(await twoBudgets(cluster, failed))];
  if (blockers.length > 0) throw refusal(node, blockers, facts);
  const held = trials.flatMap((trial, index) =>
    trial.kind === 'blocked' && trial.budget !== undefined ? [{ pod: pods[index]!, budget: trial.budget }] : [],
  );
  const hopeless = await hopelessWaits(cluster, held);
  return trials.map((trial, index) => {
    const never = hopeless.get(pods[index]!);
    return trial.kind === 'blocked' && never !== undefined ? { ...trial, why: `${trial.why}; ${never}` } : trial;
  });
}

function evictionSummary(
  pod: KubeObject,
  trial: EvictionOutcome,
  warning: string | undefined,
  api: EvictionApi,
): string {
  const verb = api === 'delete' ? 'delete' : 'evict';
  const waits = trial.kind === 'blocked' ? `; not now: ${trial.why}` : '';
  return `${verb} ${nameOf(pod)}${warning ? ` (${warning})` : ''}${waits}`;
}

async function forecastOf(
  cluster: ClusterReader,
  given: Args,
  node: string,
  pods: KubeObject[],
  target: ReadTarget,
): Promise<Forecast | undefined> {
  if (!given.forecast) return undefined;
  try {
    return await forecastDrain(cluster, node, pods);
  } catch (error) {
    if (!(error instanceof ReeveError && error.code === 'cluster-forbidden')) throw error;
    target.warn(`No forecast for ${node}: ${error.message}`);
    return undefined;
  }
}

async function warnAbout(
  cluster: ClusterReader,
  given: Args,
  node: string,
  selection: DrainSelection,
  forecast: Forecast | undefined,
  target: ReadTarget,
): Promise<void> {
  for (const sentence of forecast ? sentencesOf(forecast) : []) target.warn(sentence);
  if (!given.disable_eviction || selection.evict.length === 0) return;
  const budgets = await listBudgets(cluster).catch(() => []);
  const bypassed = new Set(selection.evict.flatMap(({ pod }) => budgetsOver(pod, budgets)).map(budgetSentence));
  const named = bypassed.size > 0 ? ` Bypassed: ${[...bypassed].join('; ')}` : '';
  target.warn(
    `disable_eviction: PodDisruptionBudgets do NOT protect the pods of ${node} (${selection.evict.length}).${named}`,
  );
}

function factsOf(node: string, found: Cordon, selection: DrainSelection) {
  return {
    node,
    was_cordoned: found.cordoned,
    planned: selection.evict.map(({ pod }) => nameOf(pod)),
    evicted: [] as string[],
    ignored: selection.ignored,
    skipped: selection.skipped,
    blocked: [] as { pod: string; why: string }[],
    duration: 0,
  };
}
