import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { unauthorized } from './api-error.ts';
import type { Authority } from './certificates.ts';
import { versionInfo } from './discovery.ts';
import { type Gateway, sendError } from './gateway.ts';
import type { Request } from './request.ts';

export interface EndpointOptions {
  /** The name in the request log. */
  name: string;
  /** Address to listen on. */
  host: string;
  /** 0 means any free port, the same one again after an absence. */
  port: number;
  version: string;
}

// What k3s's /readyz?verbose lists, shortened.
const CHECKS = [
  'ping',
  'log',
  'etcd',
  'informer-sync',
  'poststarthook/start-apiserver-admission-initializer',
  'shutdown',
];

/** One API server process: a listener that can go away and come back. */
export class Endpoint {
  readonly name: string;
  readonly host: string;
  port: number;
  version: string;
  /** Answers 500 to /readyz while it is false, and serves all else. */
  ready = true;
  /** When it did not listen, in milliseconds since 1970; the last one has no end while it is away. */
  readonly absences: { from: number; until?: number }[] = [];
  readonly #gateway: Gateway;
  readonly #authority: Authority;
  readonly #token: string;
  readonly #credential: { cert: string; key: string };
  #server: Server | undefined;
  #sockets = new Set<Duplex>();

  constructor(options: EndpointOptions, gateway: Gateway, authority: Authority, token: string) {
    this.name = options.name;
    this.host = options.host;
    this.port = options.port;
    this.version = options.version;
    this.#gateway = gateway;
    this.#authority = authority;
    this.#token = token;
    const names = new Set(['127.0.0.1', 'localhost', '::1', options.host, 'kubernetes', 'kubernetes.default']);
    this.#credential = authority.issueServer('kube-apiserver', [...names]);
  }

  get up(): boolean {
    return this.#server !== undefined;
  }

  get url(): string {
    return `https://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`;
  }

  /** Starts to listen. @throws Error when the port is taken */
  async start(): Promise<void> {
    if (this.#server) return;
    const { cert, key } = this.#credential;
    const tls = { cert, key, ca: this.#authority.cert, requestCert: true, rejectUnauthorized: false };
    const server = createServer(tls, (request, response) => void this.#handle(request, response));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, this.host, resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    const last = this.absences.at(-1);
    if (last) last.until ??= Date.now();
  }

  /** Closes the listener and every connection, as a killed process would. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.absences.push({ from: Date.now() });
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', this.url);
    const path = url.pathname.replace(/(.)\/$/, '$1');
    if (path === '/ping') return text(response, 200, 'pong');
    if (path === '/cacerts') return text(response, 200, this.#authority.cert);
    const user = this.#authenticate(message);
    // k3s starts its API server with anonymous-auth=false, so the health paths need credentials as well.
    if (user === undefined) return sendError(response, unauthorized());
    if (['/healthz', '/livez', '/readyz'].includes(path)) return this.#health(path, url.searchParams, response);
    if (path === '/version') return text(response, 200, JSON.stringify(versionInfo(this.version)), 'application/json');
    const { 'user-agent': userAgent = '', accept = '', 'content-type': contentType = '' } = message.headers;
    const head = { method: message.method ?? 'GET', path, query: url.searchParams, accept, contentType, userAgent };
    try {
      const request: Request = { ...head, user, server: this.name, body: await readAll(message) };
      await this.#gateway.serve(request, response);
    } catch {
      // The client left, or the server was stopped, before the body was complete.
      response.destroy();
    }
  }

  #authenticate({ headers, socket }: IncomingMessage): string | undefined {
    if (headers.authorization === `Bearer ${this.#token}`) return 'system:serviceaccount:lab';
    if (headers.authorization !== undefined) return undefined;
    const tls = socket as TLSSocket;
    return tls.authorized ? String(tls.getPeerCertificate().subject?.CN ?? '') : undefined;
  }

  #health(path: string, query: URLSearchParams, response: ServerResponse): void {
    const name = path.slice(1);
    const failed = name === 'readyz' && !this.ready;
    const lines = CHECKS.map((check) =>
      failed && check === 'etcd' ? `[-]${check} failed: reason withheld` : `[+]${check} ok`,
    );
    const verdict = failed ? `${name} check failed` : `${name} check passed`;
    text(response, failed ? 500 : 200, query.has('verbose') || failed ? [...lines, verdict, ''].join('\n') : 'ok');
  }
}

function text(response: ServerResponse, code: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(code, { 'content-type': type });
  response.end(body);
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
