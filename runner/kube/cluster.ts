import type { ClusterReader, ClusterRequest, ClusterResponse, ClusterWriter, ServerReadiness } from '../module.ts';
import type { ClusterAccess } from './access.ts';
import { attempt, PATIENCE, type Patience, type TaskScope, unlessAborted } from './attempt.ts';
import { messageOf, whyNot } from './failures.ts';
import { listAll } from './list.ts';
import { watchUntil } from './until.ts';
import { Ways } from './ways.ts';
import { exchange } from './wire.ts';

/** A cluster that is open for a run: connections are shared, each task gets a view with its own deadline. */
export interface Cluster {
  /** Names of the ways to it, in the order of preference. */
  readonly names: string[];
  reader(scope: TaskScope): ClusterReader;
  writer(scope: TaskScope): ClusterWriter;
  /** Asks one server's own `/readyz`, once, for at most five seconds; for measuring how long it is away. */
  serverReady(name: string, signal?: AbortSignal): Promise<ServerReadiness>;
  close(): void;
}

const READY_TIMEOUT = 5_000;

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
  const limit = AbortSignal.timeout(READY_TIMEOUT + 500);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    const endpoint = await unlessAborted(way.open(), either);
    const { status, body } = await exchange(endpoint, {
      method: 'GET',
      path: '/readyz',
      timeout: READY_TIMEOUT,
      // A connection from before a restart says nothing about the server that is there now.
      fresh: true,
      signal: either,
    });
    return { ready: status === 200, detail: status === 200 ? 'ok' : `${status}: ${messageOf(body)}` };
  } catch (error) {
    signal?.throwIfAborted();
    return { ready: false, detail: whyNot(error) };
  }
}
