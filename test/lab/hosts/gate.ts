import { createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

const attempts = 100;

/** A socket the gate let in, delayed when the gate has a latency. */
export type Serve = (stream: Socket | Duplex) => void;

/**
 * The listener in front of a host's SSH service, the same for every backend: it counts, cuts, refuses and delays
 * connections, so that a fault looks the same whatever serves behind it.
 */
export class Gate {
  connections = 0;
  latency = 0;
  readonly #serve: Serve;
  readonly #open = new Set<Socket>();
  readonly #address: string;
  #server: Server | undefined;
  #port = 0;
  #ended = false;

  constructor(address: string, serve: Serve) {
    this.#address = address;
    this.#serve = serve;
  }

  get port(): number {
    return this.#port;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Listens, on the port it had before if there was one. Does nothing once the gate has ended. */
  async listen(): Promise<void> {
    if (this.#server || this.#ended) return;
    const server = createServer({ noDelay: true }, (socket) => this.#admit(socket));
    this.#server = server;
    for (let attempt = 1; !(await this.#bind(server)); attempt++) {
      // While it was closed, an outgoing connection of anybody may have got the port for a moment.
      if (attempt === attempts) throw new Error(`port ${this.#port} of ${this.#address} is taken`);
      await wait(20);
    }
    const bound = server.address();
    if (typeof bound === 'object' && bound) this.#port = bound.port;
    if (this.#ended) server.close();
  }

  /** False when somebody else has the port. */
  #bind(server: Server): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error));
      server.once('error', onError);
      server.listen(this.#port, this.#address, () => {
        server.off('error', onError);
        resolve(true);
      });
    });
  }

  /** Stops listening: the next connection is refused. Open ones go on. */
  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Closes for good. */
  end(): void {
    this.#ended = true;
    this.close();
    this.drop();
  }

  /** Cuts every open connection. */
  drop(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
    this.#open.clear();
  }

  #admit(socket: Socket): void {
    this.connections++;
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => {});
    this.#serve(this.latency > 0 ? delayed(socket, this.latency) : socket);
  }
}

/** The same stream with every chunk, and the end, later by so many milliseconds in each direction. */
function delayed(socket: Socket, milliseconds: number): Duplex {
  const later = (act: () => void) => setTimeout(act, milliseconds);
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      later(() => socket.writable && socket.write(chunk));
      done();
    },
    final(done) {
      later(() => socket.end());
      done();
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk) => later(() => stream.push(chunk)));
  socket.on('end', () => later(() => stream.push(null)));
  socket.on('close', () => later(() => stream.destroy()));
  return stream;
}
