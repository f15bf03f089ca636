import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Stands before the server, adds a delay each way and counts how often the client waits for an answer. */
export interface Proxy {
  port: number;
  /** Times a client's bytes followed bytes of the server, over all connections: round trips of the wire, logins included. */
  turns: number;
  stop(): Promise<void>;
}

/** @param delay milliseconds each way. */
export function startProxy(to: number, delay: number): Promise<Proxy> {
  const open = new Set<Socket>();
  const proxy: Proxy = { port: 0, turns: 0, stop: () => stop(server, open) };
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = dial({ host: client.localAddress!, port: to, noDelay: true });
    let last: 'client' | 'server' | undefined;
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => open.delete(socket));
    }
    client.on('data', () => {
      if (last === 'server') proxy.turns++;
      last = 'client';
    });
    upstream.on('data', () => {
      last = 'server';
    });
    pass(client, upstream, delay);
    pass(upstream, client, delay);
  });
  return new Promise((resolve) => {
    server.listen(0, '0.0.0.0', () => {
      proxy.port = (server.address() as { port: number }).port;
      resolve(proxy);
    });
  });
}

function pass(from: Socket, to: Socket, delay: number): void {
  const later = (action: () => void) => setTimeout(() => !to.destroyed && action(), delay);
  from.on('data', (bytes) => later(() => to.write(bytes)));
  from.on('end', () => later(() => to.end()));
  from.on('close', () => later(() => to.destroy()));
}

function stop(server: Server, open: Set<Socket>): Promise<void> {
  for (const socket of open) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}
