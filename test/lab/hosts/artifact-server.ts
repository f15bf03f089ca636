import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';

export interface ArtifactOptions {
  /** Versions there are builds of, such as `v1.31.5+k3s1`. */
  versions: string[];
  /** Channel names with their newest version. `stable`, `latest` and one per minor are made up from `versions`. */
  channels?: Record<string, string>;
}

export interface ArtifactServer {
  url: string;
  /** What INSTALL_K3S_CHANNEL_URL would be. */
  channelUrl: string;
  installScriptUrl: string;
  /** What GITHUB_URL would be: has `download/VERSION/k3s` and `download/VERSION/sha256sum-amd64.txt`. */
  githubUrl: string;
  /** Paths asked for, oldest first. */
  requests: string[];
  /** Publishes a new version and moves the channels that should follow. */
  publish(version: string): void;
  /** Text of that version's binary, a script. */
  binary(version: string): string;
  stop(): Promise<void>;
}

const standIns = join(import.meta.dirname, 'stand-ins');

/** Serves over plain HTTP on loopback what update.k3s.io, get.k3s.io and the releases page serve. */
export async function startArtifacts(options: ArtifactOptions): Promise<ArtifactServer> {
  const versions = [...options.versions];
  const requests: string[] = [];
  const channels = () => ({ ...defaultChannels(versions), ...options.channels });
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://lab').pathname);
    requests.push(path);
    answer(path, response, { versions, channels: channels(), base: url });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const bound = server.address();
  const url = `http://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
  return {
    url,
    channelUrl: `${url}/v1-release/channels`,
    installScriptUrl: `${url}/install.sh`,
    githubUrl: url,
    requests,
    publish: (version) => versions.push(version),
    binary,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Shelf {
  versions: string[];
  channels: Record<string, string>;
  base: string;
}

function answer(path: string, response: ServerResponse, shelf: Shelf): void {
  const [, channel] = /^\/v1-release\/channels\/([^/]+)$/.exec(path) ?? [];
  const latest = channel === undefined ? undefined : shelf.channels[channel];
  const found = latest === undefined ? document(path, shelf) : undefined;
  if (latest !== undefined) response.writeHead(302, { Location: `${shelf.base}/tag/${latest}` }).end();
  else if (found) send(response, 200, found);
  else send(response, 404, { type: 'text/plain', body: 'not found\n' });
}

interface Document {
  type: string;
  body: string;
}

function document(path: string, shelf: Shelf): Document | undefined {
  if (path === '/v1-release/channels') return { type: 'application/json', body: channelList(shelf) };
  if (path === '/install.sh') return { type: 'text/plain', body: installScript(shelf.base) };
  const [, kind, version, file] = /^\/(tag|download)\/([^/]+)(?:\/(k3s|sha256sum-amd64\.txt))?$/.exec(path) ?? [];
  if (!version || !shelf.versions.includes(version)) return undefined;
  // Where a channel's redirect leads to: only its last part matters, which is the version.
  if (kind === 'tag') return { type: 'text/html', body: version };
  if (file === undefined) return undefined;
  return { type: 'application/octet-stream', body: file === 'k3s' ? binary(version) : checksums(version) };
}

function send(response: ServerResponse, status: number, { type, body }: Document): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** The shape of https://update.k3s.io/v1-release/channels. */
function channelList(shelf: Shelf): string {
  const data = Object.entries(shelf.channels).map(([id, latest]) => ({
    id,
    type: 'channel',
    links: { self: `${shelf.base}/v1-release/channels/${id}` },
    name: id,
    latest,
  }));
  return `${JSON.stringify({ type: 'collection', links: { self: `${shelf.base}/v1-release/channels` }, data })}\n`;
}

/** The install script, with this server where the original has k3s.io and GitHub. */
export function installScript(base: string): string {
  return readFileSync(join(standIns, 'install.sh'), 'utf8')
    .replace('@GITHUB_URL@', base)
    .replace('@CHANNEL_URL@', `${base}/v1-release/channels`);
}

/** The k3s "binary" of a version: a script. */
export function binary(version: string): string {
  const commit = createHash('sha1').update(version).digest('hex').slice(0, 8);
  return readFileSync(join(standIns, 'k3s.sh'), 'utf8').replaceAll('@VERSION@', version).replaceAll('@COMMIT@', commit);
}

function checksums(version: string): string {
  return `${createHash('sha256').update(binary(version)).digest('hex')}  k3s\n`;
}

function defaultChannels(versions: string[]): Record<string, string> {
  const sorted = versions.toSorted(compareVersions);
  const channels: Record<string, string> = {};
  for (const version of sorted) {
    channels[version.replace(/^(v\d+\.\d+)\..*$/, '$1')] = version;
    channels.stable = version;
    channels.latest = version;
  }
  return channels;
}

function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => (version.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
