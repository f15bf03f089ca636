import { X509Certificate } from 'node:crypto';
import type { Agent, RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { EXIT, ReeveError } from '../errors.ts';
import { type ClusterAccess, type HostAccess, K3S_KUBECONFIG, type KubeconfigAccess } from './access.ts';
import { ApiAgent, type Dial, dialDirect } from './agent.ts';
import { type KubeconfigSource, parseKubeconfig, readKubeconfigFiles } from './kubeconfig.ts';
import { Slots } from './slots.ts';

/**
 * Requests at a time, watches aside: an SSH server allows ten sessions a connection, and a burst of evictions must not
 * use them up. (An agent's `maxSockets` does not count connections that are still being made.)
 */
const TUNNEL_REQUESTS = 6;
const DIRECT_REQUESTS = 32;

/** One way to the API server, opened: where to, as whom. */
export interface Endpoint {
  /** URL without a slash at its end. */
  readonly server: string;
  /** Where address and credentials came from, for messages. */
  readonly origin: string;
  /**
   * Agent and headers (with credentials) for one request; an exec plug-in may be asked for a new token. `fresh` gives a
   * new connection: one that was kept may have been closed by a server that restarted, which shows only once a request
   * is under way on it.
   */
  settings(options: { fresh: boolean }): Promise<EndpointSettings>;
  readonly slots: Slots;
  /** What is wrong with the client certificate («expired on …»), as far as it can be seen from here. */
  certificateProblem(): string | undefined;
  close(): void;
}

interface EndpointSettings {
  agent: Agent;
  headers: Record<string, string>;
}

/**
 * Opens one way: reads the kubeconfig, here or on the host. Nothing goes to the API server yet.
 * @throws ReeveError `kubeconfig-invalid`, `kubeconfig-missing`; what `run` of a host access throws.
 */
export async function openEndpoint(access: ClusterAccess): Promise<Endpoint> {
  const sources = access.kind === 'host' ? [await readFromHost(access)] : readHere(access);
  const config = await parseKubeconfig(sources, access.context);
  const origin = sources.map((source) => source.origin).join(', ');
  return endpointOf(config, origin, access.kind === 'host' ? access : undefined);
}

function readHere(access: KubeconfigAccess): KubeconfigSource[] {
  if (access.text !== undefined) return [{ text: access.text, origin: access.origin ?? 'given as text' }];
  return readKubeconfigFiles(access.path ?? '');
}

async function readFromHost(access: HostAccess): Promise<KubeconfigSource> {
  const path = access.path ?? K3S_KUBECONFIG;
  const quoted = `'${path.replaceAll("'", `'\\''`)}'`;
  const result = await access.run(`if [ ! -e ${quoted} ]; then exit 44; fi; cat ${quoted}`);
  if (result.code === 0) return { text: result.stdout, origin: `${path} on ${access.name}` };
  const missing = result.code === 44;
  throw new ReeveError(
    'kubeconfig-missing',
    missing ? `${access.name} has no ${path}` : `${path} on ${access.name} cannot be read`,
    {
      exitCode: EXIT.taskFailed,
      hint: missing
        ? 'Only k3s servers have it: let `kube_via` name a server, or set `kubeconfig`.'
        : 'It belongs to root: use `become: true` on that host, or set `kubeconfig`.',
    },
  );
}

function endpointOf(config: KubeConfig, origin: string, host: HostAccess | undefined): Endpoint {
  const cluster = config.getCurrentCluster()!;
  const url = parseServer(cluster.server, origin);
  // The package refuses plain HTTP unless verification is off; there is nothing to verify (kubectl proxy).
  if (url.protocol === 'http:') config.clusters = config.clusters.map((item) => ({ ...item, skipTLSVerify: true }));
  provideExecInfo(config);
  const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const dial: Dial = host ? () => host.forward(host.tunnelTo ?? hostname, port) : dialDirect(hostname, port);
  const own = url.protocol === 'https:' && (host !== undefined || !cluster.proxyUrl);
  let agents: { identity: string; kept: ApiAgent; fresh: ApiAgent } | undefined;

  return {
    server: cluster.server,
    origin,
    slots: new Slots(host ? TUNNEL_REQUESTS : DIRECT_REQUESTS),
    async settings({ fresh }) {
      const options: RequestOptions = {};
      await authenticate(config, options, origin);
      const headers = { ...(options.headers as Record<string, string>) };
      if (options.auth) headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
      if (!own) return { agent: options.agent as Agent, headers };
      const { ca, cert, key, rejectUnauthorized, servername } = options;
      // An exec plug-in may hand out a new certificate: connections made with the old one are left to run out.
      const identity = String(cert ?? '');
      if (agents?.identity !== identity) {
        const tls = definedOnly({ ca, cert, key, rejectUnauthorized, servername });
        const common = { hostname, tls, dial };
        const agent = (keepAlive: boolean) => new ApiAgent({ ...common, keepAlive });
        agents = { identity, kept: agent(true), fresh: agent(false) };
      }
      return { agent: fresh ? agents.fresh : agents.kept, headers };
    },
    certificateProblem() {
      const data = config.getCurrentUser()?.certData;
      return data ? problemOf(Buffer.from(data, 'base64')) : undefined;
    },
    close() {
      agents?.kept.destroy();
      agents?.fresh.destroy();
    },
  };
}

/** Leaves undefined members out, so that the defaults of node:tls hold. */
function definedOnly<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function parseServer(server: string, origin: string): URL {
  if (URL.canParse(server)) {
    const url = new URL(server);
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
  }
  throw new ReeveError('kubeconfig-invalid', `The server in ${origin} is no http(s) URL: ${server}`, {
    exitCode: EXIT.invalid,
  });
}

async function authenticate(config: KubeConfig, options: RequestOptions, origin: string): Promise<void> {
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const command: unknown = config.getCurrentUser()?.exec?.command;
    const told = cause instanceof Error ? (cause.message.trim().split('\n').at(-1) ?? '') : '';
    const what = command
      ? `The credential plug-in ${command} named in ${origin} failed`
      : `${origin} gave no credentials`;
    throw new ReeveError('cluster-credentials', `${what}: ${told.slice(0, 200)}`, {
      exitCode: EXIT.taskFailed,
      hint: command ? 'Run it by hand on this machine; it may need a login first.' : undefined,
    });
  }
}

/** kubectl tells a credential plug-in the version to answer in and that nobody is there to ask; the package does not. */
function provideExecInfo(config: KubeConfig): void {
  const { exec } = config.getCurrentUser() ?? {};
  if (!exec) return;
  const info = { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  exec.env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
}

function problemOf(pem: Buffer): string | undefined {
  try {
    const certificate = new X509Certificate(pem);
    const now = Date.now();
    if (certificate.validToDate.getTime() < now) return `expired on ${certificate.validToDate.toISOString()}`;
    if (certificate.validFromDate.getTime() > now) {
      return `is not valid before ${certificate.validFromDate.toISOString()}; is this machine's clock right?`;
    }
  } catch {
    return 'cannot be read';
  }
  return undefined;
}
