import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { ReeveError } from '../../errors.ts';
import type { ConnectionsOptions } from '../options.ts';
import type { ConnectionSpec, HostKeyChecking } from '../types.ts';
import type { SshEndpoint } from './config.ts';
import {
  addKnownHost,
  findKnownHosts,
  fingerprint,
  judge,
  type KnownHost,
  keyType,
  knownName,
  type Verdict,
} from './known-hosts.ts';

/** Decides about one server's key; made before the handshake, since the known types steer what is asked for. */
export interface HostKeyPolicy {
  /** Signature algorithms in the order to ask for them, so that the server shows a key that is on record. */
  algorithms: ServerHostKeyAlgorithm[];
  /** Resolves when the key may be trusted; rejects with ReeveError `host-key-*`. */
  check(key: Buffer): Promise<void>;
}

/** What ssh2 can check, in OpenSSH's order. */
const ALGORITHMS: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];

/** One question at a time, and the answer to one is seen by the next. */
let asking: Promise<unknown> = Promise.resolve();

export async function hostKeyPolicy(
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  options: ConnectionsOptions,
): Promise<HostKeyPolicy> {
  const mode = modeOf(spec, endpoint, options);
  if (mode === 'off') return { algorithms: ALGORITHMS, check: async () => {} };
  const files = filesOf(endpoint, options);
  const look = () => knownKeys(files, endpoint, options.warn ?? (() => {}));
  const known = await look();
  return {
    algorithms: inOrder(known.filter((one) => !one.revoked).map((one) => one.type)),
    async check(key) {
      const verdict = judge(known, key);
      if (verdict.kind === 'known') return;
      if (verdict.kind !== 'unknown') throw refusal(spec, endpoint, key, verdict);
      const turn = asking.then(async () => {
        if (judge(await look(), key).kind === 'known') return;
        if (!(await accepted(mode, spec, endpoint, key, options))) throw unknownKey(spec, endpoint, key, mode);
        await addKnownHost(files[0]!, endpoint.keyName, endpoint.port, key);
      });
      asking = turn.catch(() => {});
      await turn;
    },
  };
}

async function knownKeys(
  files: string[],
  endpoint: SshEndpoint,
  warn: (message: string) => void,
): Promise<KnownHost[]> {
  const known = await findKnownHosts(files, endpoint.keyName, endpoint.port, warn);
  if (known.length || endpoint.port === 22) return known;
  // As OpenSSH does: a key on record for the plain name is good on any port, a different one there proves nothing.
  return findKnownHosts(files, endpoint.keyName, 22, () => {});
}

function modeOf(spec: ConnectionSpec, endpoint: SshEndpoint, options: ConnectionsOptions): HostKeyChecking {
  if (spec.hostKeyChecking) return spec.hostKeyChecking;
  if (options.hostKeyChecking) return options.hostKeyChecking;
  switch (endpoint.strict) {
    case 'yes':
      return 'strict';
    case 'accept-new':
      return 'accept-new';
    case 'no':
    case 'off':
      return 'off';
    default:
      return 'ask';
  }
}

function filesOf(endpoint: SshEndpoint, options: ConnectionsOptions): string[] {
  const personal = join(homedir(), '.ssh', 'known_hosts');
  return (
    endpoint.knownHostsFiles ??
    options.knownHostsFiles ?? [personal, `${personal}2`, '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
  );
}

async function accepted(
  mode: HostKeyChecking,
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  key: Buffer,
  options: ConnectionsOptions,
): Promise<boolean> {
  if (mode === 'accept-new') return true;
  if (mode !== 'ask' || !options.askHostKey) return false;
  return options.askHostKey({
    host: spec.host,
    address: endpoint.address,
    port: endpoint.port,
    keyType: keyType(key),
    fingerprint: fingerprint(key),
  });
}

/** The known types first. An RSA key signs with SHA-2 today, under other names than its type. */
function inOrder(types: string[]): ServerHostKeyAlgorithm[] {
  const known = ALGORITHMS.filter((one) => types.includes(one.startsWith('rsa-sha2-') ? 'ssh-rsa' : one));
  return [...new Set([...known, ...ALGORITHMS])];
}

function refusal(
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  key: Buffer,
  verdict: Extract<Verdict, { known: KnownHost }>,
): ReeveError {
  const { known } = verdict;
  const where = `${known.file}:${known.line}`;
  const name = knownName(endpoint.keyName, endpoint.port);
  if (verdict.kind === 'revoked') {
    return new ReeveError('host-key-revoked', `${spec.host}: the host key ${fingerprint(key)} is revoked (${where})`, {
      place: { file: known.file, line: known.line, column: 1 },
      hint: 'Do not connect. The server needs a new key.',
      exitCode: 3,
    });
  }
  const seen = `it shows ${keyType(key)} ${fingerprint(key)}, known is ${known.type} ${fingerprint(known.key)} (${where})`;
  return new ReeveError('host-key-changed', `${spec.host}: the host key of ${name} has changed: ${seen}`, {
    place: { file: known.file, line: known.line, column: 1 },
    hint: `If the host was set up anew, remove the old key: ssh-keygen -f ${known.file} -R '${name}'. Otherwise somebody may be listening.`,
    exitCode: 3,
  });
}

function unknownKey(spec: ConnectionSpec, endpoint: SshEndpoint, key: Buffer, mode: HostKeyChecking): ReeveError {
  const name = knownName(endpoint.keyName, endpoint.port);
  const refused = mode === 'ask' ? 'and was not accepted' : 'and host key checking is strict';
  return new ReeveError(
    'host-key-unknown',
    `${spec.host}: the host key of ${name} is unknown ${refused}: ${keyType(key)} ${fingerprint(key)}`,
    {
      hint: `Compare it with the server's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then connect once with ssh, or run with --host-key-checking accept-new.`,
      exitCode: 3,
    },
  );
}
