import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { ReeveError } from '../../errors.ts';
import { type KubeconfigSource, parseKubeconfig, readKubeconfigFiles } from '../../kube/kubeconfig.ts';
import type { Document } from '../../load/document.ts';
import type { JsonSchema } from '../../schema-types.ts';
import type { JsonInventory } from '../json-inventory.ts';
import { addVariables } from './add-variables.ts';
import { cached } from './cache.ts';
import { DEFAULT_DEADLINE, type FetchOptions } from './fetch.ts';
import { InventoryDraft, safeGroupName } from './group-name.ts';
import { getJson, StatusError } from './https-json.ts';
import { ASKING_OPTIONS, durationOption, pluginError, pluginOptions } from './options.ts';

const ADDRESS_TYPES = ['InternalIP', 'ExternalIP', 'Hostname'];

const OPTIONS: Record<string, JsonSchema> = {
  ...ASKING_OPTIONS,
  kubeconfig: { type: 'string', description: 'Path of a kubeconfig; default: KUBECONFIG, else ~/.kube/config.' },
  context: { type: 'string', description: 'Context of the kubeconfig; default: its current one.' },
  selector: { type: 'string', description: 'Label selector: only these nodes.' },
  address: { type: 'string', enum: ADDRESS_TYPES, default: 'InternalIP', description: 'Which address to connect to.' },
  group: { type: 'string', default: 'nodes', description: 'Group of all nodes.' },
};

interface KubernetesOptions {
  kubeconfig?: string;
  context?: string;
  selector?: string;
  address: string;
  group: string;
  vars?: Record<string, unknown>;
}

interface Node {
  metadata: { name: string; labels?: Record<string, string> };
  spec?: { unschedulable?: boolean; podCIDR?: string; providerID?: string };
  status?: {
    addresses?: { type: string; address: string }[];
    conditions?: { type: string; status: string }[];
    nodeInfo?: Record<string, string>;
  };
}

interface NodeList {
  items: Node[];
  metadata?: { continue?: string };
}

const ROLE = 'node-role.kubernetes.io/';

/**
 * The nodes of a cluster as hosts, with labels, roles and versions as variables; in the groups `servers` and `agents`
 * (what the playbooks for k3s work on), and one for each role.
 * @throws InvalidError for wrong options, ReeveError `inventory-plugin`.
 */
export async function kubernetesInventory(document: Document, options: FetchOptions): Promise<JsonInventory> {
  const given = pluginOptions<KubernetesOptions>(document, OPTIONS);
  const kubeconfigs = await atItsPlace(document, given, () =>
    readKubeconfigFiles(kubeconfigPath(document, given, options)),
  );
  // KUBECONFIG may name another cluster tomorrow, and so may the same file.
  const about = kubeconfigs.map(({ text }) => text).join('\n');
  const found = await cached(document, options, about, () => ask(document, given, kubeconfigs, options));
  return addVariables(found, () => given.vars);
}

async function ask(
  document: Document,
  given: KubernetesOptions,
  kubeconfigs: KubeconfigSource[],
  options: FetchOptions,
): Promise<JsonInventory> {
  const written = (document.value as { deadline?: unknown }).deadline;
  const deadline = durationOption(document, 'deadline', written, options.deadline ?? DEFAULT_DEADLINE);
  const config = await atItsPlace(document, given, () => parseKubeconfig(kubeconfigs, given.context));
  const signal = AbortSignal.timeout(deadline);
  const server = config.getCurrentCluster()!.server;
  try {
    return draft(given, await listNodes(config, given.selector, signal));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const why = signal.aborted ? `did not answer within ${deadline / 1000} s` : `cannot be read: ${message}`;
    const isRefused = error instanceof StatusError && /status 40[13]/.test(message);
    const hint = isRefused
      ? 'the user of the kubeconfig may not list nodes there, or is not known any more'
      : undefined;
    throw pluginError(document, `the Kubernetes API at ${server} ${why}`, hint);
  }
}

/** What is wrong with a kubeconfig is told at the option that names it. */
async function atItsPlace<T>(document: Document, given: KubernetesOptions, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ReeveError) || error.place) throw error;
    const option =
      given.context === undefined ? (given.kubeconfig === undefined ? undefined : 'kubeconfig') : 'context';
    throw pluginError(document, error.message, error.hint, option);
  }
}

function kubeconfigPath(document: Document, { kubeconfig }: KubernetesOptions, { environment }: FetchOptions): string {
  if (kubeconfig === undefined) return environment.KUBECONFIG || join(homedir(), '.kube', 'config');
  const path = kubeconfig.replace(/^~(?=\/)/, homedir());
  return resolve(dirname(document.file), path);
}

/** In pages, as the API asks for with many nodes. */
async function listNodes(config: KubeConfig, selector: string | undefined, signal: AbortSignal): Promise<Node[]> {
  const nodes: Node[] = [];
  let next: string | undefined;
  do {
    const url = new URL(`${config.getCurrentCluster()!.server.replace(/\/+$/, '')}/api/v1/nodes`);
    url.searchParams.set('limit', '500');
    if (selector !== undefined) url.searchParams.set('labelSelector', selector);
    if (next) url.searchParams.set('continue', next);
    const tls = {};
    await config.applyToHTTPSOptions(tls);
    const { headers, ...rest } = tls as { headers?: Record<string, string> };
    const list = (await getJson({ url, ...(headers ? { headers } : {}), tls: rest, signal })) as NodeList;
    if (!Array.isArray(list?.items)) throw new Error(`${url.pathname} was not answered with a list of nodes`);
    nodes.push(...list.items);
    next = list.metadata?.continue;
  } while (next);
  return nodes;
}

function draft(given: KubernetesOptions, nodes: readonly Node[]): JsonInventory {
  const inventory = new InventoryDraft();
  inventory.group(given.group);
  for (const node of nodes) {
    const roles = rolesOf(node);
    const isServer = roles.includes('control-plane') || roles.includes('master');
    const groups = [isServer ? 'servers' : 'agents', ...roles.map((role) => `role_${safeGroupName(role)}`)];
    for (const group of groups) {
      const { children } = inventory.group(given.group);
      if (!children.includes(group)) children.push(group);
    }
    inventory.host(node.metadata.name, nodeVariables(node, roles, given.address), groups);
  }
  return inventory.toJson();
}

function rolesOf({ metadata }: Node): string[] {
  return Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(ROLE))
    .map((label) => label.slice(ROLE.length))
    .sort();
}

function nodeVariables({ metadata, spec, status }: Node, roles: string[], wanted: string): Record<string, unknown> {
  const addresses = status?.addresses ?? [];
  const address = addresses.find(({ type }) => type === wanted)?.address;
  const info = status?.nodeInfo ?? {};
  return {
    ...(address === undefined ? {} : { address }),
    node_name: metadata.name,
    kubernetes: {
      labels: metadata.labels ?? {},
      roles,
      version: info.kubeletVersion ?? null,
      os_image: info.osImage ?? null,
      architecture: info.architecture ?? null,
      kernel: info.kernelVersion ?? null,
      runtime: info.containerRuntimeVersion ?? null,
      addresses: addresses.map(({ type, address: value }) => ({ type, address: value })),
      ready: status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
      schedulable: spec?.unschedulable !== true,
    },
  };
}
