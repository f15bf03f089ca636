import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createAuthority } from '../api/certificates.ts';

export interface LabGuest {
  type: 'lxc' | 'qemu';
  vmid: number;
  name: string;
  node: string;
  status?: 'running' | 'stopped';
  tags?: string;
  pool?: string;
  template?: number;
  /** What the guest agent of a machine tells; without it there is no agent. */
  addresses?: string[];
  /** What the configuration of a machine says. */
  config?: Record<string, string>;
}

export interface LabProxmoxOptions {
  nodes: Record<string, string>;
  guests: LabGuest[];
  token?: string;
  /** Answers nothing: for deadlines. */
  isSilent?: boolean;
  /** Answers nothing about single machines. */
  areGuestsSilent?: boolean;
}

export interface LabProxmox {
  url: string;
  ca: string;
  /** SHA-256, with colons. */
  fingerprint: string;
  /** `reeve@pve!lab`, and its secret. */
  tokenId: string;
  secret: string;
  requests: string[];
  stop(): Promise<void>;
}

/** The part of a Proxmox cluster's API that an inventory reads, over HTTPS, for holders of the token only. */
export async function startProxmox(options: LabProxmoxOptions): Promise<LabProxmox> {
  const authority = createAuthority('pve-root-ca');
  const credential = authority.issueServer('pve1', ['127.0.0.1', 'localhost']);
  const tokenId = 'reeve@pve!lab';
  const secret = options.token ?? '0d6e8b1a-7c44-4c1e-9a57-3f2b61f0c9d2';
  const requests: string[] = [];
  const server = createServer({ cert: credential.cert, key: credential.key }, (request, response) => {
    requests.push(request.url ?? '');
    if (options.isSilent) return;
    if (request.headers.authorization !== `PVEAPIToken=${tokenId}=${secret}`) return answer(response, 401, undefined);
    if (options.areGuestsSilent && request.url?.includes('/qemu/')) return;
    const data = route(request, options);
    answer(response, data === undefined ? 500 : 200, data);
  });
  // Also those that still shake hands: closeAllConnections does not know them, and they would wait for a request.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    ca: authority.cert,
    fingerprint: new X509Certificate(credential.cert).fingerprint256,
    tokenId,
    secret,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function route(request: IncomingMessage, { nodes, guests }: LabProxmoxOptions): unknown {
  const path = (request.url ?? '').replace(/^\/api2\/json\//, '');
  if (path === 'cluster/resources?type=vm') {
    return guests.map(({ addresses: _a, config: _c, ...guest }) => ({
      status: 'running',
      ...guest,
      id: `${guest.type}/${guest.vmid}`,
    }));
  }
  if (path === 'cluster/status') {
    const entries = Object.entries(nodes).map(([name, ip]) => ({
      type: 'node',
      name,
      ip,
      online: 1,
      id: `node/${name}`,
    }));
    return [{ type: 'cluster', name: 'lab', id: 'cluster', nodes: entries.length }, ...entries];
  }
  const match = /^nodes\/([^/]+)\/qemu\/(\d+)\/(config|agent\/network-get-interfaces)$/.exec(path);
  const guest = guests.find(({ vmid, node }) => vmid === Number(match?.[2]) && node === match?.[1]);
  if (!guest) return undefined;
  if (match?.[3] === 'config') return guest.config ?? {};
  return guest.addresses && { result: interfaces(guest.addresses) };
}

function interfaces(addresses: string[]): object[] {
  const entry = (address: string) => ({
    'ip-address': address,
    'ip-address-type': address.includes(':') ? 'ipv6' : 'ipv4',
    prefix: 24,
  });
  return [
    { name: 'lo', 'ip-addresses': [entry('127.0.0.1'), entry('::1')] },
    { name: 'docker0', 'ip-addresses': [entry('172.17.0.1')] },
    { name: 'eth0', 'ip-addresses': addresses.map(entry) },
  ];
}

function answer(response: ServerResponse, status: number, data: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ data: data ?? null }));
}
