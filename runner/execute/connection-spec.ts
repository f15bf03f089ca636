import type { Become, ConnectionSpec, HostKeyChecking } from '../connect/types.ts';
import { EXIT, ReeveError } from '../errors.ts';
import { parseDuration } from '../language/duration.ts';
import type { Scope } from '../language/types.ts';
import { isUnknown } from '../language/unknown.ts';

/** Variables that say how a host is reached: our name first, then Ansible's names for the same thing. */
export const CONNECTION_VARIABLES = {
  transport: {
    names: ['transport', 'ansible_connection'],
    description: '`ssh` (default), `openssh`, `local` or `pct`.',
  },
  address: {
    names: ['address', 'ansible_host', 'ansible_ssh_host'],
    description: 'Host name or IP address; default: the host’s name.',
  },
  port: { names: ['ssh_port', 'ansible_port', 'ansible_ssh_port'], description: 'SSH port.' },
  user: { names: ['ssh_user', 'ansible_user', 'ansible_ssh_user'], description: 'User to log in as.' },
  password: {
    names: ['ssh_password', 'ansible_password', 'ansible_ssh_pass'],
    description: 'Password to log in with.',
    secret: true,
  },
  privateKeyFile: {
    names: ['ssh_private_key_file', 'ansible_private_key_file', 'ansible_ssh_private_key_file'],
    description: 'Private key to log in with.',
  },
  passphrase: {
    names: ['ssh_passphrase', 'ansible_private_key_passphrase'],
    description: 'Passphrase of the private key.',
    secret: true,
  },
  knownHostsFile: { names: ['ssh_known_hosts_file'], description: 'File of known host keys.' },
  hostKeyChecking: {
    names: ['ssh_host_key_checking', 'ansible_host_key_checking'],
    description: '`ask`, `strict`, `accept-new` or `off`.',
  },
  proxyJump: { names: ['ssh_proxy_jump'], description: 'Jump host(s), as ssh’s ProxyJump.' },
  sshOptions: { names: ['ssh_options'], description: 'Mapping of further options for the system’s ssh.' },
  connectTimeout: { names: ['connect_timeout'], description: 'Time limit for connecting; default 10s.' },
  shell: { names: ['target_shell'], description: 'Path of the POSIX shell on the target; default `sh`.' },
  pctNode: { names: ['pct_node'], description: 'For `pct`: inventory name of the Proxmox node the container runs on.' },
  vmid: { names: ['vmid', 'proxmox_vmid'], description: 'For `pct`: number of the container.' },
  become: { names: ['become', 'ansible_become'], description: 'Become another user for every task.' },
  becomeUser: { names: ['become_user', 'ansible_become_user'], description: 'User to become; default root.' },
  becomeMethod: { names: ['become_method', 'ansible_become_method'], description: '`sudo` (default), `su` or `doas`.' },
  becomePassword: {
    names: ['become_password', 'ansible_become_password', 'ansible_become_pass'],
    description: 'Password for becoming.',
    secret: true,
  },
} as const satisfies Record<string, { names: readonly string[]; description: string; secret?: boolean }>;

type Setting = keyof typeof CONNECTION_VARIABLES;

/**
 * The first of a setting's names that has a value.
 * @throws ReeveError when it is not known yet in check mode.
 */
export function connectionSetting(scope: Scope, setting: Setting, secret?: (value: unknown) => void): unknown {
  const row: { names: readonly string[]; secret?: boolean } = CONNECTION_VARIABLES[setting];
  for (const name of row.names) {
    if (!scope.has(name)) continue;
    const value = scope.get(name);
    if (value === undefined || value === null) continue;
    if (isUnknown(value))
      throw new ReeveError('connection-unknown', `the variable ${name} is not known before the run`, {
        exitCode: EXIT.invalid,
      });
    if (row.secret) secret?.(value);
    return value;
  }
  return undefined;
}

const TRANSPORTS: Record<string, ConnectionSpec['transport']> = {
  ssh: 'ssh',
  openssh: 'openssh',
  local: 'local',
  pct: 'pct',
  // Ansible's names
  smart: 'ssh',
  paramiko: 'ssh',
  'community.general.proxmox_pct_remote': 'pct',
};

/**
 * How to reach a host, from its variables.
 * @param nodeScope gives the variables of the Proxmox node of a container.
 * @param secret is told every password.
 * @throws ReeveError `invalid-connection` when a variable has a value that makes no sense.
 */
export function connectionSpec(
  host: string,
  scope: Scope,
  nodeScope: (name: string) => Scope,
  secret: (value: unknown) => void,
): ConnectionSpec {
  const get = (setting: Setting) => connectionSetting(scope, setting, secret);
  const text = (setting: Setting) => {
    const value = get(setting);
    return value === undefined ? undefined : String(value);
  };
  const wanted = text('transport') ?? (host === 'localhost' ? 'local' : 'ssh');
  const transport = TRANSPORTS[wanted];
  if (!transport) throw invalid(host, 'transport', `is ${wanted}; it can be ssh, openssh, local or pct`);
  const spec: ConnectionSpec = { host, transport, address: text('address') ?? host };
  const port = get('port');
  if (port !== undefined) spec.port = wholeNumber(host, 'port', port);
  for (const setting of [
    'user',
    'password',
    'privateKeyFile',
    'passphrase',
    'knownHostsFile',
    'proxyJump',
    'shell',
  ] as const) {
    const value = text(setting);
    if (value !== undefined) spec[setting] = value;
  }
  const checking = get('hostKeyChecking');
  if (checking !== undefined) spec.hostKeyChecking = hostKeyChecking(host, checking);
  const connectTimeout = get('connectTimeout');
  if (connectTimeout !== undefined) spec.connectTimeout = parseDuration(connectTimeout as string | number);
  const options = get('sshOptions');
  if (options !== undefined) spec.sshOptions = options as Record<string, string>;
  if (transport === 'pct') addContainer(spec, get('vmid'), text('pctNode'), nodeScope, secret);
  return spec;
}

function addContainer(
  spec: ConnectionSpec,
  vmid: unknown,
  node: string | undefined,
  nodeScope: (name: string) => Scope,
  secret: (value: unknown) => void,
): void {
  if (vmid === undefined)
    throw invalid(spec.host, 'vmid', 'is missing; `transport: pct` needs the number of the container');
  if (node === undefined) throw invalid(spec.host, 'pct_node', 'is missing; `transport: pct` needs the Proxmox node');
  spec.vmid = wholeNumber(spec.host, 'vmid', vmid);
  spec.node = connectionSpec(node, nodeScope(node), nodeScope, secret);
  if (spec.node.transport === 'pct') throw invalid(spec.host, 'pct_node', `is ${node}, which is a container itself`);
}

/** How the tasks of a host become another user, when only its variables say so. */
export function becomeFromVariables(scope: Scope): { become: boolean; user: string; method: string } {
  return {
    become: truthy(connectionSetting(scope, 'become')),
    user: String(connectionSetting(scope, 'becomeUser') ?? 'root'),
    method: String(connectionSetting(scope, 'becomeMethod') ?? 'sudo'),
  };
}

/** @throws ReeveError `invalid-connection` for an unknown method. */
export function becomeSpec(host: string, user: string, method: string, password: unknown): Become {
  if (method !== 'sudo' && method !== 'su' && method !== 'doas') {
    throw invalid(host, 'become_method', `is ${method}; it can be sudo, su or doas`);
  }
  return password === undefined ? { method, user } : { method, user, password: String(password) };
}

function truthy(value: unknown): boolean {
  return value === true || value === 'true' || value === 'yes';
}

function wholeNumber(host: string, name: string, value: unknown): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1) {
    throw invalid(host, name, `is ${JSON.stringify(value)}; it takes a whole number`);
  }
  return number;
}

function hostKeyChecking(host: string, value: unknown): HostKeyChecking {
  if (value === false || value === 'off' || value === 'no' || value === 'False') return 'off';
  if (value === true || value === 'yes' || value === 'True') return 'strict';
  if (value === 'ask' || value === 'strict' || value === 'accept-new') return value;
  throw invalid(host, 'ssh_host_key_checking', `is ${String(value)}; it can be ask, strict, accept-new or off`);
}

function invalid(host: string, name: string, rest: string): ReeveError {
  return new ReeveError('invalid-connection', `${host}: the variable ${name} ${rest}`, { exitCode: EXIT.invalid });
}
