import { type ClusterReader, defineModule, type KubeObject, ReeveError, TaskFailure } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema, spoken } from '../shared/duration.ts';
import { notReady, notVoter, summaryOf } from '../shared/kube-node-health.ts';

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

export const waitNode = defineModule({
  name: 'wait-node',
  description: 'Waits until a node is Ready, runs a version and sends heartbeats, or until it is gone.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      node: { type: 'string', minLength: 1, description: 'Name of the node; default: the host’s own.' },
      ready: { type: 'boolean', default: true, description: 'Wait until it is Ready.' },
      version: { type: 'string', description: 'Wait until its kubelet has exactly this version.' },
      heartbeat: {
        type: 'boolean',
        default: false,
        description: 'Wait for a heartbeat sent after this task began: the kubelet lives now.',
      },
      heartbeat_after: {
        type: 'string',
        description: 'Wait until the heartbeat is another one than this earlier `renew_time`.',
      },
      etcd_voter: {
        type: 'boolean',
        default: true,
        description: 'On a server with etcd: wait until it is a voting member.',
      },
      absent: { type: 'boolean', default: false, description: 'Wait until the cluster has no such node.' },
      timeout: durationSchema('For all of it together.', '5m'),
    },
  },
  examples: [
    { title: 'After an upgrade', yaml: 'wait-node: { version: v1.31.5+k3s1, heartbeat: true }' },
    { title: 'Remember the heartbeat before a restart', yaml: 'wait-node: {}' },
    { title: 'After a node was removed', yaml: 'wait-node: { node: agent-7, absent: true }' },
  ],
  kind: 'check',
  on: 'cluster',
  waits: { inCheck: 'unless-pending', what: describeWait },
  returns: {
    type: 'object',
    properties: {
      node: { type: 'string', description: 'Name of the node.' },
      ready: { type: 'boolean', description: 'Whether it is Ready.' },
      version: { type: 'string', description: 'Version of its kubelet.' },
      cordoned: { type: 'boolean', description: 'Whether it is closed for new pods.' },
      boot_id: {
        type: 'string',
        description: 'Boot id of its machine, as its kubelet has reported it; empty when it has not.',
      },
      renew_time: { type: 'string', description: 'Its heartbeat (renewTime of its Lease), for `heartbeat_after`.' },
      waited: { type: 'number', description: 'Seconds it took.' },
    },
  },
  notes:
    'Heartbeats are compared with each other and never with a clock: the machines’ clocks need not agree. An API server ' +
    'that is away for a while is no failure.',
  check: (given) =>
    given.absent === true && (given.version !== undefined || given.heartbeat === true)
      ? '`absent` does not go with `version` or `heartbeat`'
      : checkDurations(given, 'timeout'),
  async plan(args, target) {
    const cluster = await target.cluster();
    const node = args.node ?? target.nodeName;
    const timeout = Math.min(durationOf(args.timeout, 'timeout'), target.remaining());
    const wait = new NodeWait(cluster, node, timeout);
    if (args.absent) {
      await wait.until((found) => (found ? 'is still there' : undefined));
      return { changes: [], facts: { node, waited: wait.waited }, message: `${node} is gone` };
    }
    const before = args.heartbeat_after ?? (args.heartbeat ? await wait.heartbeat() : undefined);
    if (before !== undefined) await wait.heartbeatAfter(before);
    const found = await wait.until((one) => lacking(one, args));
    const heartbeat = await wait.heartbeat();
    const { ready, version, cordoned } = summaryOf(found!);
    return {
      changes: [],
      facts: {
        ...{ node, ready, version, cordoned, renew_time: heartbeat, waited: wait.waited },
        boot_id: found!.status?.nodeInfo?.bootID ?? '',
      },
      message: `${node} is ${ready ? 'Ready' : 'there'} with ${version}`,
    };
  },
});

function describeWait(args: {
  node?: string;
  version?: string;
  absent: boolean;
  ready: boolean;
  etcd_voter: boolean;
  heartbeat: boolean;
  heartbeat_after?: string;
}): string | undefined {
  const node = args.node ? `node ${args.node}` : 'the node';
  if (args.absent) return `${node} to be gone`;
  const asksNothing = !args.ready && !args.etcd_voter && !args.heartbeat;
  if (asksNothing && args.version === undefined && args.heartbeat_after === undefined) return undefined;
  return `${node} to be ${args.ready ? 'Ready' : 'there'}${args.version ? ` with ${args.version}` : ''}`;
}

interface Wanted {
  ready: boolean;
  version?: string;
  etcd_voter: boolean;
}

/** What a node lacks yet; undefined when it is as wanted. */
function lacking(node: KubeObject | undefined, { ready, version, etcd_voter: voter }: Wanted): string | undefined {
  if (!node) return 'is not there';
  const runs = summaryOf(node).version;
  if (version !== undefined && plain(runs) !== plain(version))
    return `runs ${runs || 'no version'} instead of ${version}`;
  return (ready ? notReady(node) : undefined) ?? (voter ? notVoter(node) : undefined);
}

function plain(version: string): string {
  return version.replace(/^v/, '');
}

/** Several waits for one node under one deadline. */
class NodeWait {
  readonly #cluster: ClusterReader;
  readonly #node: string;
  readonly #timeout: number;
  readonly #started = performance.now();

  constructor(cluster: ClusterReader, node: string, timeout: number) {
    this.#cluster = cluster;
    this.#node = node;
    this.#timeout = timeout;
  }

  /** seconds */
  get waited(): number {
    return Number(((performance.now() - this.#started) / 1000).toFixed(1));
  }

  /** Waits until `lacks` finds nothing; gives the node, or undefined when it does not exist. */
  async until(lacks: (node: KubeObject | undefined) => string | undefined): Promise<KubeObject | undefined> {
    let last = 'could not be asked for';
    const inspect = ([node]: KubeObject[]) => {
      const missing = lacks(node);
      last = missing ?? last;
      return missing === undefined ? { node } : undefined;
    };
    const options = { path: '/api/v1/nodes', query: this.#selector, what: `node ${this.#node}` };
    return (await this.#wait(options, inspect, () => last)).node;
  }

  /** The last heartbeat; empty when there was none. */
  async heartbeat(): Promise<string> {
    return this.#wait(
      this.#lease,
      ([lease]) => lease?.spec?.renewTime ?? '',
      () => 'could not be asked for',
    );
  }

  /** Waits for another heartbeat than `before`. */
  async heartbeatAfter(before: string): Promise<void> {
    const inspect = ([lease]: KubeObject[]): true | undefined => {
      const now: string | undefined = lease?.spec?.renewTime;
      return now !== undefined && now !== before ? true : undefined;
    };
    await this.#wait(this.#lease, inspect, () => `has sent no heartbeat since ${before || 'the wait began'}`);
  }

  get #lease() {
    return { path: LEASES, query: this.#selector, what: `a heartbeat of ${this.#node}` };
  }

  get #selector() {
    return { fieldSelector: `metadata.name=${this.#node}` };
  }

  async #wait<T>(
    options: Parameters<ClusterReader['until']>[0],
    inspect: (objects: KubeObject[]) => T | undefined,
    last: () => string,
  ): Promise<T> {
    const left = Math.max(1, this.#timeout - (performance.now() - this.#started));
    try {
      return await this.#cluster.until(options, inspect, left);
    } catch (error) {
      if (!(error instanceof ReeveError && error.code === 'deadline')) throw error;
      const away = error.cause instanceof ReeveError ? `; ${error.cause.message}` : '';
      throw new TaskFailure(`Node ${this.#node} ${last()}, after ${spoken(this.#timeout)}${away}`, {
        code: 'deadline',
        facts: { node: this.#node, waited: this.waited },
        hint: 'The journal of k3s (k3s-agent on agents) on that host says more.',
        cause: error,
      });
    }
  }
}
