/** Where an example runs: files below a temporary root, a host of the lab, or the lab's Kubernetes API. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { canConnect } from '../../../../runner/execute/can-connect.ts';
import { factsScript, parseFacts } from '../../../../runner/execute/facts.ts';
import { fetchHttp } from '../../../../runner/execute/http.ts';
import type { ReadTarget, WriteTarget } from '../../../../runner/module.ts';
import type { Api } from '../../../lab/api/api.ts';
import { startApi } from '../../../lab/api/api.ts';
import { node } from '../../../lab/api/fixtures.ts';
import { treeOf } from '../../../lab/fingerprint.ts';
import { shellArgv } from '../../../lab/hosts/shells.ts';
import { startHosts } from '../../../lab/hosts/start-hosts.ts';
import type { LabHost, ShellName } from '../../../lab/hosts/types.ts';
import { labTarget } from '../../../support/lab-target.ts';
import { type LocalTarget, localTarget } from '../../../support/local-target.ts';
import { snapshotTree } from '../../../support/tree.ts';
import { clusterOf } from '../../kube/target.ts';
import { appletGuard, harmlessPath } from './harmless-path.ts';

export type WorldKind = 'files' | 'machine' | 'cluster';

/** The node that stands for the host in the cluster. */
export const NODE = 'agent-1';

export interface World {
  /** The folder that stands for the target's `/`. */
  readonly root: string;
  /** A path of the target, in the folder that stands for its `/`. */
  at(path: string): string;
  /** Writes a file of the target, and the folders above it. */
  file(path: string, content: string, mode?: string): void;
  /** Writes a file of the control machine, where `source` looks. */
  source(path: string, content: string): void;
  /** Puts a program of this name on the target's PATH: a script for sh. */
  program(name: string, script: string): void;
  readonly target: WriteTarget;
  /** The same host as plan sees it: whatever writes throws. */
  readonly reader: ReadTarget;
  /** In worlds of the kind `machine`. */
  readonly host: LabHost;
  /** In worlds of the kind `cluster`. */
  readonly api: Api;
  /** Answers every request with this text on a port of 127.0.0.1; gives its URL. Requests that write are part of the state. */
  serve(text: string): Promise<string>;
  /** What is to be done when the world ends. */
  onEnd(action: () => unknown): void;
  /** What an undo must bring back; `exactly`: all that a plan could have changed, also when files were written. */
  state(options?: { exactly?: boolean }): unknown;
}

export interface OpenWorld extends World, AsyncDisposable {}

/** Makes an empty world; it is gone when disposed of. */
export async function makeWorld(kind: WorldKind, shell: ShellName): Promise<OpenWorld> {
  if (kind === 'machine') return machine(shell);
  return kind === 'cluster' ? cluster() : files(shell);
}

const WRITES = ['run', 'writeFile', 'writeFiles', 'restoreFile', 'job', 'nodeState', 'recordUndo'];

function readOnly(target: WriteTarget, over: Partial<ReadTarget> = {}): ReadTarget {
  const refuse = (name: string) => () => {
    throw new Error(`plan asked for target.${name}`);
  };
  return { ...target, ...Object.fromEntries(WRITES.map((name) => [name, refuse(name)])), ...over };
}

function absent(what: string): never {
  throw new Error(`this example's world has no ${what}: name another kind of world in its needs`);
}

function put(path: string, content: string, mode = '0644'): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, Number.parseInt(mode, 8));
}

interface Parts {
  base: LocalTarget;
  root: string;
  bin: string;
  target: WriteTarget;
  reader?: ReadTarget;
  state(exactly: boolean): unknown;
  host?: LabHost;
  api?: Api;
  close(): unknown;
}

function assemble({ base, root, bin, target, reader, state, host, api, close }: Parts): OpenWorld {
  const at = (path: string) => join(root, path);
  const endings: (() => unknown)[] = [close, base.dispose];
  const posted: string[] = [];
  return {
    root,
    at,
    file: (path, content, mode) => put(at(path), content, mode),
    source: (path, content) => put(join(base.control, path), content),
    program: (name, script) => put(join(bin, name), `#!/bin/sh\n${script}\n`, '0755'),
    target,
    reader: reader ?? readOnly(target),
    get host() {
      return host ?? absent('machine');
    },
    get api() {
      return api ?? absent('cluster');
    },
    serve: (text) => serve(text, posted, endings),
    onEnd: (action) => void endings.unshift(action),
    state: ({ exactly = false } = {}) => [state(exactly), snapshotTree(base.control), [...posted]],
    async [Symbol.asyncDispose]() {
      for (const end of endings) await end();
    },
  };
}

async function serve(text: string, posted: string[], endings: (() => unknown)[]): Promise<string> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET') posted.push(`${request.method} ${request.url}`);
    response.end(text);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  endings.unshift(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What the engine does on the control machine, done for real; and nobody waits longer than a moment. */
function engine(base: LocalTarget, read: ReadTarget['read']): Omit<Partial<ReadTarget>, 'cluster'> {
  const { signal } = base.read;
  return {
    nodeName: NODE,
    facts: async () => parseFacts((await read(factsScript)).stdout),
    http: (request) => fetchHttp(request, signal),
    canConnect: (address, port, timeout) => canConnect(address, port, timeout, signal),
    sleep: async (ms) => void (await wait(Math.min(ms, 20), undefined, { signal })),
  };
}

function files(shell: ShellName): OpenWorld {
  const bin = mkdtempSync(join(tmpdir(), 'reeve-bin-'));
  const base = localTarget({ shell, path: `${bin}:${harmlessPath(shell)}`, prelude: () => appletGuard(shell, bin) });
  const target = { ...base.write, ...engine(base, base.write.read) };
  const state = (times: boolean) => snapshotTree(base.root, { times });
  return assemble({ base, root: base.root, bin, target, state, close: () => rmSync(bin, { recursive: true }) });
}

async function machine(shell: ShellName): Promise<OpenWorld> {
  const lab = await startHosts({ hosts: [{ name: NODE, shell }], rebootMs: 20 });
  const host = lab.get(NODE);
  host.setKnob('k3s-start', '0.05');
  host.setKnob('stop-sec', '0.1');
  const base = localTarget();
  const lt = labTarget(host, shellArgv(host.root, shell), {
    source: base.write.source,
    dropConnection: async () => host.dropConnections(),
  });
  const target = { ...lt.target, ...engine(base, lt.target.read) };
  // Copies for the way back stay on the host.
  const state = (exactly: boolean) =>
    [...treeOf(host.root)].filter(([path]) => exactly || !path.startsWith('var/lib/reeve'));
  const bin = join(host.root, 'usr/local/bin');
  const close = async () => {
    lt.dispose();
    await lab.stop();
  };
  return assemble({ base, root: host.root, bin, target, state, host, close });
}

async function cluster(): Promise<OpenWorld> {
  const api = await startApi();
  api.seed([node(NODE), node('agent-2')]);
  const opened = clusterOf(api);
  const base = localTarget();
  const scope = { signal: base.read.signal, remaining: base.read.remaining, progress: base.read.progress };
  const target: WriteTarget = {
    ...base.write,
    ...engine(base, base.write.read),
    cluster: async () => opened.writer(scope),
    serverReady: () => opened.serverReady(opened.names[0]!),
  };
  return assemble({
    base,
    root: base.root,
    bin: base.root,
    target,
    reader: readOnly(target, { cluster: async () => opened.reader(scope) }),
    state: (exactly) => [wishes(api), exactly && [...api.mutations]],
    api,
    async close() {
      opened.close();
      await api.stop();
    },
  });
}

/** What was asked of the cluster: controllers and kubelets move everything else all the time. */
function wishes(api: Api): unknown {
  const lists = ['nodes', 'namespaces', 'configmaps', 'deployments', 'poddisruptionbudgets'];
  return lists.flatMap((resource) =>
    api.state.list(resource).map(({ kind, metadata: { name, namespace, labels, annotations }, ...object }) => {
      const { spec, data } = object as { spec?: { taints?: unknown }; data?: unknown };
      return { kind, name, namespace, labels, annotations, spec: { ...spec, taints: undefined }, data };
    }),
  );
}
