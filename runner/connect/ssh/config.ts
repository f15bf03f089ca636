import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ReeveError } from '../../errors.ts';
import type { ConnectionsOptions } from '../options.ts';
import type { ConnectionSpec } from '../types.ts';
import { ConfigFiles } from './config-files.ts';
import { type Settings, settingsOf } from './config-settings.ts';
import { expandTokens } from './config-tokens.ts';

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

/** Finds out where `spec` leads. Throws ReeveError `bad-ssh-config`. */
export function resolveEndpoint(spec: ConnectionSpec, options: ConnectionsOptions): SshEndpoint {
  const settings = settingsFor(spec, options);
  const one = (name: string) => settings[name]?.[0];
  const address = expandTokens(one('hostname') ?? spec.address, { h: spec.address });
  const port = spec.port ?? Number(one('port') ?? 22);
  const user = spec.user ?? one('user') ?? userInfo().username;
  const tokens = { h: address, p: String(port), r: user, n: spec.address };
  const path = (text: string) => untilde(expandTokens(text, tokens));
  const named = spec.privateKeyFile ? [spec.privateKeyFile] : (settings.identityfile ?? []).map(path);
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
    proxyCommand: jump === 'none' && one('proxycommand') !== 'none' ? settings.proxycommand?.join(' ') : undefined,
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
  const order = options.sshConfigFiles ?? [join(homedir(), '.ssh', 'config'), '/etc/ssh/ssh_config'];
  let files = known.get(options);
  if (!files) {
    files = new ConfigFiles();
    known.set(options, files);
  }
  return settingsOf(files, order, spec.address, spec.user);
}

/** The files of a run. */
const known = new WeakMap<ConnectionsOptions, ConfigFiles>();

function defaultKeys(options: ConnectionsOptions): string[] {
  return options.identityFiles ?? DEFAULT_KEYS.map((name) => join(homedir(), '.ssh', name));
}

/** `UserKnownHostsFile` may name several files, separated by spaces. */
function knownHosts(words: string[] | undefined): string[] | undefined {
  return words?.flatMap((one) => one.split(/\s+/)).filter(Boolean);
}

function untilde(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
