import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Document } from '../../load/document.ts';
import type { JsonSchema } from '../../schema-types.ts';
import type { JsonInventory } from '../json-inventory.ts';
import { addVariables } from './add-variables.ts';
import { cached } from './cache.ts';
import { DEFAULT_DEADLINE, type FetchOptions } from './fetch.ts';
import { InventoryDraft, safeGroupName } from './group-name.ts';
import { getJson } from './https-json.ts';
import { ASKING_OPTIONS, durationOption, pluginError, pluginOptions } from './options.ts';
import { containerVariables, guestVariables, type NodeStatus, nodeVariables, type Resource } from './proxmox-hosts.ts';

const TOKEN_SECRET = 'PROXMOX_TOKEN_SECRET';

const OPTIONS: Record<string, JsonSchema> = {
  ...ASKING_OPTIONS,
  url: { type: 'string', pattern: '^https://', description: 'Address of the API: https://pve1.example.org:8006.' },
  user: { type: 'string', description: 'User of the token, when `token_id` is its name alone: reeve@pve.' },
  token_id: { type: 'string', description: 'Name of the API token: reeve@pve!inventory.' },
  token_secret: { type: 'string', description: `The token’s secret; better in the environment, as ${TOKEN_SECRET}.` },
  token_secret_file: { type: 'string', description: 'File that holds the token’s secret.' },
  ca_file: { type: 'string', description: 'Certificate of the authority (/etc/pve/pve-root-ca.pem of a node).' },
  fingerprint: {
    type: 'string',
    description: 'SHA-256 fingerprint of the server’s certificate, instead of an authority.',
  },
  validate_certs: { type: 'boolean', description: 'Accepted when true: certificates are always verified.' },
  group_prefix: { type: 'string', default: 'proxmox_', description: 'What names of groups begin with.' },
  running_only: { type: 'boolean', default: true, description: 'Leave out what is not running.' },
  node_vars: { type: 'object', description: 'Variables of the Proxmox nodes themselves, such as ssh_user.' },
  // What Ansible's plugin has and what comes without asking here.
  want_facts: { type: 'boolean', description: 'Accepted; facts of the API are always there.' },
  want_proxmox_nodes_ansible_host: { type: 'boolean', description: 'Accepted; addresses are always there.' },
};

interface ProxmoxOptions {
  url: string;
  user?: string;
  token_id: string;
  token_secret?: string;
  token_secret_file?: string;
  ca_file?: string;
  fingerprint?: string;
  validate_certs?: boolean;
  group_prefix: string;
  running_only: boolean;
  vars?: Record<string, unknown>;
  node_vars?: Record<string, unknown>;
}

/**
 * The nodes, containers and virtual machines of a Proxmox cluster as hosts: containers through their node (`pct`),
 * machines over SSH at the address that their guest agent or cloud-init gives.
 * @throws InvalidError for wrong options, ReeveError `inventory-plugin`.
 */
export async function proxmoxInventory(document: Document, options: FetchOptions): Promise<JsonInventory> {
  const given = pluginOptions<ProxmoxOptions>(document, OPTIONS, ['url', 'token_id']);
  if (given.validate_certs === false) {
    const hint = 'give ca_file, or fingerprint: `pvenode cert info` on a node shows it';
    throw pluginError(document, 'the certificate of a Proxmox API is always verified', hint, 'validate_certs');
  }
  const found = await cached(document, options, '', () => ask(document, given, options));
  const nodes = new Set((found[nodesGroup(given)] as { hosts: string[] } | undefined)?.hosts ?? []);
  return addVariables(found, (host) => (nodes.has(host) ? given.node_vars : given.vars));
}

async function ask(document: Document, given: ProxmoxOptions, options: FetchOptions): Promise<JsonInventory> {
  const written = (document.value as { deadline?: unknown }).deadline;
  const deadline = durationOption(document, 'deadline', written, options.deadline ?? DEFAULT_DEADLINE);
  const signal = AbortSignal.timeout(deadline);
  const get = connection(document, given, options, signal);
  try {
    const [resources, status] = await Promise.all([
      listed(get<Resource[]>('cluster/resources?type=vm')),
      listed(get<NodeStatus[]>('cluster/status')),
    ]);
    return await draft(given, resources, status, get);
  } catch (error) {
    const why = signal.aborted ? `did not answer within ${deadline / 1000} s` : `cannot be read: ${reason(error)}`;
    throw pluginError(document, `the Proxmox API at ${given.url} ${why}`, hintFor(reason(error)), 'url');
  }
}

export type Get = <T>(path: string) => Promise<T>;

function connection(document: Document, given: ProxmoxOptions, options: FetchOptions, signal: AbortSignal): Get {
  const authorization = `PVEAPIToken=${tokenName(given)}=${tokenSecret(document, given, options)}`;
  const base = `${given.url.replace(/\/+$/, '')}/api2/json/`;
  const tls = given.ca_file === undefined ? {} : { ca: readBeside(document, given.ca_file, 'ca_file') };
  const { fingerprint } = given;
  return async <T>(path: string) => {
    const url = new URL(path, base);
    const answer = await getJson({ url, headers: { authorization }, tls, fingerprint, signal });
    return (answer as { data?: T } | null)?.data as T;
  };
}

async function listed<T>(asked: Promise<T[]>): Promise<T[]> {
  const answer = await asked;
  if (!Array.isArray(answer)) throw new Error('its answer holds no list; is this a Proxmox API?');
  return answer;
}

function tokenName({ user, token_id: id }: ProxmoxOptions): string {
  return user === undefined || id.includes('!') ? id : `${user}!${id}`;
}

function tokenSecret(document: Document, given: ProxmoxOptions, options: FetchOptions): string {
  const file = given.token_secret_file;
  const text = file === undefined ? undefined : readBeside(document, file, 'token_secret_file').trim();
  const secret = given.token_secret ?? text ?? options.environment[TOKEN_SECRET];
  if (secret !== undefined && secret !== '') return secret;
  const hint = `set ${TOKEN_SECRET}, or name a file with token_secret_file`;
  throw pluginError(document, 'the secret of the API token is missing', hint, 'token_id');
}

/** Relative paths start from the folder of the plugin's file. */
function readBeside(document: Document, path: string, option: string): string {
  try {
    return readFileSync(resolve(dirname(document.file), path), 'utf8');
  } catch (error) {
    throw pluginError(document, `${path} cannot be read: ${(error as Error).message}`, undefined, option);
  }
}

async function draft(
  given: ProxmoxOptions,
  resources: Resource[],
  status: NodeStatus[],
  get: Get,
): Promise<JsonInventory> {
  const inventory = new InventoryDraft();
  const named = (name: string) => groupName(given, name);
  for (const node of status.filter((entry) => entry.type === 'node')) {
    inventory.host(node.name, nodeVariables(node), [nodesGroup(given)]);
  }
  const wanted = resources
    .filter((resource) => resource.template !== 1 && (resource.status === 'running' || !given.running_only))
    .sort((a, b) => a.vmid - b.vmid);
  const variables = await Promise.all(
    wanted.map((resource) => (resource.type === 'lxc' ? containerVariables(resource) : guestVariables(resource, get))),
  );
  const names = uniqueNames(wanted);
  wanted.forEach((resource, index) => {
    inventory.host(names[index]!, variables[index]!, groupsOf(resource, named));
  });
  return inventory.toJson();
}

function groupName({ group_prefix: prefix }: ProxmoxOptions, name: string): string {
  return prefix + safeGroupName(name).replace(/^_/, '');
}

function nodesGroup(given: ProxmoxOptions): string {
  return groupName(given, 'nodes');
}

/** Names need not be unique in a cluster: where they are not, the number of the guest is added. */
function uniqueNames(resources: readonly Resource[]): string[] {
  const count = new Map<string, number>();
  for (const { name } of resources) count.set(name ?? '', (count.get(name ?? '') ?? 0) + 1);
  return resources.map(({ name, vmid }) => {
    if (name === undefined || name === '') return `guest-${vmid}`;
    return count.get(name)! > 1 ? `${name}-${vmid}` : name;
  });
}

/** Ansible's names, and one for each tag. */
function groupsOf({ type, status, node, pool, tags }: Resource, named: (name: string) => string): string[] {
  return [
    named(`all_${type}`),
    named(`all_${status}`),
    named(`${node}_${type}`),
    ...(pool ? [named(`pool_${pool}`)] : []),
    ...(tags ?? '')
      .split(/[;,\s]+/)
      .filter((tag) => tag !== '')
      .map((tag) => named(`tag_${tag}`)),
  ];
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hintFor(why: string): string | undefined {
  if (/status 401/.test(why)) return 'the token or its secret is wrong';
  if (/status 403/.test(why)) return 'the token needs the role PVEAuditor on /';
  if (/self.signed|unable to (?:verify|get)|certificate/i.test(why)) {
    return 'give ca_file (/etc/pve/pve-root-ca.pem of a node), or fingerprint';
  }
  return undefined;
}
