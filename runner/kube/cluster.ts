import type { ClusterReader, ClusterRequest, ClusterResponse, ClusterWriter, ServerReadiness } from '../module.ts';
import type { ClusterAccess } from './access.ts';
import { attempt, PATIENCE, type Patience, type TaskScope } from './attempt.ts';
import { type Availability, watchAvailability } from './availability.ts';
import { listAll } from './list.ts';
import { askReady } from './ready.ts';
import { watchUntil } from './until.ts';
import { Ways } from './ways.ts';

/** A cluster that is open for a run: connections are shared, each task gets a view with its own deadline. */
export interface Cluster {
  /** Names of the ways to it, in the order of preference. */
  readonly names: string[];
  reader(scope: TaskScope): ClusterReader;
  writer(scope: TaskScope): ClusterWriter;
  /** Asks one server's own `/readyz`, once, for at most five seconds; for measuring how long it is away. */
  serverReady(name: string, signal?: AbortSignal): Promise<ServerReadiness>;
  /** Tells from now on when the API ceases to answer and when it answers again. Gives what ends that, before `close`. */
  watch(tell: (told: Availability) => void, interval?: number): () => Promise<void>;
  close(): void;
}

/**
 * Opens a cluster by one or several ways, tried in turn when one does not answer. Nothing is read or connected before
 * the first request.
 */
export function openCluster(
  access: ClusterAccess | readonly ClusterAccess[],
  patience: Partial<Patience> = {},
): Cluster {
  const ways = new Ways(Array.isArray(access) ? access : [access as ClusterAccess]);
  if (ways.all.length === 0) throw new Error('openCluster needs at least one access');
  const times: Patience = { ...PATIENCE, ...patience };
  return {
    names: ways.all.map((way) => way.name),
    reader: (scope) => readerOf(ways, scope, times),
    writer: (scope) => ({
      ...readerOf(ways, scope, times),
      get server() {
        return serverOf(ways);
      },
      write: (request) => ask(ways, request, scope, times),
    }),
    serverReady: (name, signal) => serverReady(ways, name, signal),
    watch: (tell, interval) => watchAvailability(ways, tell, interval),
    close: () => ways.close(),
  };
}

function readerOf(ways: Ways, scope: TaskScope, patience: Patience): ClusterReader {
  const read = (request: ClusterRequest, within: TaskScope = scope): Promise<ClusterResponse> => {
    if (request.method !== 'GET' && request.query?.dryRun !== 'All') {
      throw new Error(`${request.method} ${request.path} is a write: only dry runs may be read`);
    }
    return ask(ways, request, within, patience);
  };
  return {
    get server() {
      return serverOf(ways);
    },
    read: (request) => read(request),
    list: async (path, query) => (await listAll(read, path, query)).items,
    until: (options, inspect, timeout) => watchUntil({ ways, scope, patience, read }, options, inspect, timeout),
  };
}

async function ask(
  ways: Ways,
  request: ClusterRequest,
  scope: TaskScope,
  patience: Patience,
): Promise<ClusterResponse> {
  const { status, body } = await attempt(ways, request, scope, patience);
  return { status, body };
}

function serverOf(ways: Ways): string {
  return ways.current.endpoint?.server ?? ways.current.name;
}

async function serverReady(ways: Ways, name: string, signal?: AbortSignal): Promise<ServerReadiness> {
  const way = ways.named(name);
  if (!way) throw new Error(`there is no way to the cluster named ${name}`);
  const { ready, detail } = await askReady(way, signal);
  return { ready, detail };
}
