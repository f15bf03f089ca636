import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';

export interface Response {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  /** Parsed when it is JSON, else the text. */
  body: unknown;
}

export interface WatchEvent {
  type: string;
  object: { kind: string; metadata: { name: string; resourceVersion: string }; [field: string]: unknown };
}

/** A bare client of any Kubernetes API: what goes over the wire is what the caller says. */
export interface Client {
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The events of a watch until the server ends it; leaving the loop ends the connection. */
  watch(path: string): AsyncGenerator<WatchEvent>;
  close(): void;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string } }[];
}

/** @param kubeconfig text of a kubeconfig with one cluster and one user, its certificates inline */
export function createClient(kubeconfig: string): Client {
  const config = parse(kubeconfig) as Kubeconfig;
  const cluster = config.clusters[0]!.cluster;
  const user = config.users[0]?.user ?? {};
  const decode = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text, 'base64'));
  const [ca, cert, key] = [
    decode(cluster['certificate-authority-data']),
    decode(user['client-certificate-data']),
    decode(user['client-key-data']),
  ];
  const agent = new Agent({
    keepAlive: true,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  });
  const authorization: Record<string, string> = user.token ? { authorization: `Bearer ${user.token}` } : {};
  const open = (method: string, path: string, text: string | undefined, headers: Record<string, string>) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      // Without the length Node sends a DELETE's body with neither length nor chunks, which no server can read.
      const length = `${Buffer.byteLength(text ?? '')}`;
      const type: Record<string, string> =
        text === undefined ? {} : { 'content-type': 'application/json', 'content-length': length };
      const options: RequestOptions = { method, agent, headers: { ...authorization, ...type, ...headers } };
      const outgoing = request(new URL(path, cluster.server), options, resolve);
      outgoing.on('error', reject);
      outgoing.end(text);
    });
  return {
    async send(method, path, body, headers = {}) {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const incoming = await open(method, path, text, headers);
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const answer = Buffer.concat(chunks).toString();
      const isJson = incoming.headers['content-type']?.startsWith('application/json');
      return { code: incoming.statusCode ?? 0, headers: incoming.headers, body: isJson ? JSON.parse(answer) : answer };
    },
    async *watch(path) {
      const incoming = await open('GET', path, undefined, {});
      try {
        for await (const line of createInterface({ input: incoming })) yield JSON.parse(line) as WatchEvent;
      } finally {
        incoming.destroy();
      }
    },
    close: () => agent.destroy(),
  };
}
