import { globSync, readdirSync, readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import SSHConfig from 'ssh-config';
import { ReeveError } from '../../errors.ts';
import type { ConnectionsOptions } from '../options.ts';
import type { ConnectionSpec } from '../types.ts';

/** One SSH server and how to log in, from the spec first and `ssh_config` second. */
export interface SshEndpoint {
  address: string;
  port: number;
  user: string;
  /** The name under which known_hosts has its key. */
  keyName: string;
  /** Keys to try: named ones, or the default ones that exist. */
  identityFiles: string[];
  /** No other keys of the agent. */
  identitiesOnly: boolean;
  /** Socket path, `none`, or undefined for SSH_AUTH_SOCK. */
  identityAgent: string | undefined;
  /** In order from here: each `user@host:port` or an alias. */
  jumps: string[];
  knownHostsFiles: string[] | undefined;
  /** milliseconds */
  connectTimeout: number | undefined;
  /** `StrictHostKeyChecking` as the file says. */
  strict: string | undefined;
  /** Set when only the system's ssh can get there. */
  proxyCommand: string | undefined;
}

const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
/** OpenSSH stops at 16 levels too (readconf.c, READCONF_MAX_DEPTH). */
const INCLUDE_DEPTH = 16;

/** What the configuration files say about one host; names in lower case. */
type Settings = Record<string, string | string[] | undefined>;

/** Finds out where `spec` leads. Throws ReeveError `bad-ssh-config`. */
export function resolveEndpoint(spec: ConnectionSpec, options: ConnectionsOptions): SshEndpoint {
  const settings = settingsFor(spec, options);
  const one = (name: string) => first(settings[name]);
  const address = expand(one('hostname') ?? spec.address, { h: spec.address });
  const port = spec.port ?? Number(one('port') ?? 22);
  const user = spec.user ?? one('user') ?? userInfo().username;
  const tokens = { h: address, p: String(port), r: user, n: spec.address };
  const path = (text: string) => untilde(expand(text, tokens));
  const named = spec.privateKeyFile ? [spec.privateKeyFile] : list(settings.identityfile).map(path);
  const jump = spec.proxyJump ?? one('proxyjump') ?? 'none';
  const timeout = one('connecttimeout');
  return {
    address,
    port,
    user,
    keyName: one('hostkeyalias') ?? address,
    identityFiles: named.length ? named.map(untilde) : defaultKeys(options),
    identitiesOnly: one('identitiesonly')?.toLowerCase() === 'yes',
    identityAgent: one('identityagent'),
    jumps: jump === 'none' ? [] : jump.split(',').map((hop) => hop.trim()),
    knownHostsFiles: spec.knownHostsFile
      ? [untilde(spec.knownHostsFile)]
      : knownHosts(settings.userknownhostsfile)?.map(path),
    connectTimeout: spec.connectTimeout ?? (timeout && Number(timeout) ? Number(timeout) * 1000 : undefined),
    strict: one('stricthostkeychecking')?.toLowerCase(),
    proxyCommand: jump === 'none' && one('proxycommand') !== 'none' ? one('proxycommand') : undefined,
  };
}

/** `user@host:port`, `ssh://user@host:port` or an alias, as the spec of a jump host. */
export function jumpSpec(hop: string, from: ConnectionSpec): ConnectionSpec {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?\/?$/.exec(hop);
  if (!match) {
    throw new ReeveError('bad-ssh-config', `${from.host}: «${hop}» is no jump host`, {
      hint: 'ProxyJump takes [user@]host[:port], several with commas between them.',
      exitCode: 4,
    });
  }
  const [, user, address = '', port] = match;
  return {
    host: `${from.host} via ${hop}`,
    transport: 'ssh',
    address: address.replace(/^\[|\]$/g, ''),
    ...(user ? { user } : {}),
    ...(port ? { port: Number(port) } : {}),
    ...(from.privateKeyFile ? { privateKeyFile: from.privateKeyFile } : {}),
    ...(from.passphrase ? { passphrase: from.passphrase } : {}),
    ...(from.knownHostsFile ? { knownHostsFile: from.knownHostsFile } : {}),
    ...(from.hostKeyChecking ? { hostKeyChecking: from.hostKeyChecking } : {}),
    ...(from.connectTimeout ? { connectTimeout: from.connectTimeout } : {}),
  };
}

function settingsFor(spec: ConnectionSpec, options: ConnectionsOptions): Settings {
  const files = options.sshConfigFiles ?? [join(homedir(), '.ssh', 'config'), '/etc/ssh/ssh_config'];
  const query = spec.user === undefined ? { Host: spec.address } : { Host: spec.address, User: spec.user };
  const merged: Settings = {};
  for (const file of files) {
    const found = understood(file, () => parsedConfig(file, options)?.compute(query as never, { ignoreCase: true })) as
      | Settings
      | undefined;
    for (const [name, value] of Object.entries(found ?? {})) {
      const key = name.toLowerCase();
      merged[key] = key === 'identityfile' ? [...list(merged[key]), ...list(value)] : (merged[key] ?? value);
    }
  }
  return merged;
}

const parsed = new WeakMap<ConnectionsOptions, Map<string, SSHConfig | undefined>>();

/** Read once a run: for each of a thousand hosts anew it took 0.7 s of CPU. Undefined for a file that says nothing. */
function parsedConfig(file: string, options: ConnectionsOptions): SSHConfig | undefined {
  const files = parsed.get(options) ?? new Map<string, SSHConfig | undefined>();
  parsed.set(options, files);
  if (!files.has(file)) {
    const text = readWithIncludes(file, 0);
    files.set(file, text ? SSHConfig.parse(text) : undefined);
  }
  return files.get(file);
}

function understood<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new ReeveError('bad-ssh-config', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
      exitCode: 4,
    });
  }
}

/** The file with its `Include`s in place, which the parser does not follow. */
function readWithIncludes(file: string, depth: number): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return '';
  }
  if (depth >= INCLUDE_DEPTH) return text;
  return text
    .split('\n')
    .map((line) => {
      const match = /^\s*include\s*[\s=]\s*(.+?)\s*$/i.exec(line);
      return match
        ? match[1]!
            .split(/\s+/)
            .map((name) => included(name, file, depth))
            .join('\n')
        : line;
    })
    .join('\n');
}

function included(name: string, from: string, depth: number): string {
  const plain = untilde(name.replaceAll('"', ''));
  const pattern = isAbsolute(plain) ? plain : join(dirname(from), plain);
  return matching(pattern)
    .sort()
    .map((file) => readWithIncludes(file, depth + 1))
    .join('\n');
}

/** Debian's own `Include /etc/ssh/ssh_config.d/*.conf` needs no glob, whose first use costs 8 ms of CPU. */
function matching(pattern: string): string[] {
  const [, folder, end] = /^([^*?[{\\]*)\/\*([^/*?[{\\]*)$/.exec(pattern) ?? [];
  if (folder === undefined || end === undefined) return globSync(pattern);
  try {
    const names = readdirSync(folder || '/').filter((name) => name.endsWith(end) && !name.startsWith('.'));
    return names.map((name) => join(folder || '/', name));
  } catch {
    return [];
  }
}

function defaultKeys(options: ConnectionsOptions): string[] {
  return options.identityFiles ?? DEFAULT_KEYS.map((name) => join(homedir(), '.ssh', name));
}

/** `UserKnownHostsFile` may name several files, separated by spaces. */
function knownHosts(value: string | string[] | undefined): string[] | undefined {
  return value === undefined
    ? undefined
    : list(value)
        .flatMap((one) => one.split(/\s+/))
        .filter(Boolean);
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function list(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function untilde(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

/** The tokens of ssh_config(5) that make sense here. */
function expand(text: string, tokens: Record<string, string>): string {
  const known: Record<string, string> = {
    '%': '%',
    d: homedir(),
    u: userInfo().username,
    l: hostname(),
    L: hostname().split('.')[0] ?? '',
    ...tokens,
  };
  return text.replace(/%(.)/g, (whole, token: string) => known[token] ?? whole);
}
