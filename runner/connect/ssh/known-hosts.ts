import { createHash, createHmac } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type KnownLine, knownLines } from './known-lines.ts';

/** One usable line of a known_hosts file. */
export interface KnownHost {
  file: string;
  line: number;
  revoked: boolean;
  /** `ssh-ed25519` */
  type: string;
  key: Buffer;
}

/** What the files say about a server's key. */
export type Verdict =
  | { kind: 'known' }
  | { kind: 'unknown' }
  /** Another key is on record: of the same type, or only of other types. */
  | { kind: 'changed'; known: KnownHost; sameType: boolean }
  | { kind: 'revoked'; known: KnownHost };

/** `SHA256:` and unpadded base64, as OpenSSH prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a public key blob begins with. */
export function keyType(key: Buffer): string {
  const length = key.readUInt32BE(0);
  return key.subarray(4, 4 + length).toString('latin1');
}

/** How a server is named in known_hosts: `[host]:port` unless the port is 22 (sshd(8)). */
export function knownName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** All lines that are about the server. A file that does not exist holds none. `warn` hears of lines that cannot be used. */
export async function findKnownHosts(
  files: string[],
  host: string,
  port: number,
  warn: (message: string) => void,
): Promise<KnownHost[]> {
  const name = knownName(host, port);
  const found: KnownHost[] = [];
  for (const file of files) {
    const { byName, others } = await knownLines(file);
    // Most files have a plain name a line, and a line a host: those are looked up, only what is left is matched.
    const about = [...(byName.get(name) ?? []), ...others.filter(({ hosts }) => matchesHosts(hosts, name))];
    for (const line of about.sort((a, b) => a.line - b.line)) {
      if (line.marker === '@cert-authority') {
        warn(`${file}:${line.line}: @cert-authority is not supported; host certificates are not used`);
      } else if (line.marker === undefined || line.marker === '@revoked') found.push(knownHost(file, line));
    }
  }
  return found;
}

function knownHost(file: string, { line, marker, type, base64 }: KnownLine): KnownHost {
  return { file, line, revoked: marker === '@revoked', type, key: Buffer.from(base64, 'base64') };
}

/** The first field: `|1|salt|hash`, or patterns with `*`, `?` and `!`. */
export function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|1|')) {
    const [, , salt = '', hash = ''] = hosts.split('|');
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
  }
  return matchesPatterns(hosts.toLowerCase(), name);
}

/** A pattern list of ssh_config(5), with commas: one that begins with `!` and matches outweighs all others. */
export function matchesPatterns(patterns: string, name: string): boolean {
  let matched = false;
  for (const part of patterns.split(',')) {
    const negated = part.startsWith('!');
    if (!wildcard(negated ? part.slice(1) : part).test(name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** Judges the key that a server showed. */
export function judge(known: KnownHost[], key: Buffer): Verdict {
  const same = (one: KnownHost) => one.key.equals(key);
  const revoked = known.find((one) => one.revoked && same(one));
  if (revoked) return { kind: 'revoked', known: revoked };
  const valid = known.filter((one) => !one.revoked);
  if (valid.some(same)) return { kind: 'known' };
  const other = valid.find((one) => one.type === keyType(key)) ?? valid[0];
  if (!other) return { kind: 'unknown' };
  return { kind: 'changed', known: other, sameType: other.type === keyType(key) };
}

/** Adds a key. The folder is made if need be. */
export async function addKnownHost(file: string, host: string, port: number, key: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const present = await readFile(file, 'utf8').catch(() => '');
  const gap = present && !present.endsWith('\n') ? '\n' : '';
  const line = `${knownName(host, port)} ${keyType(key)} ${key.toString('base64')}\n`;
  await appendFile(file, gap + line, { mode: 0o600 });
}
