import { timingSafeEqual } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type AuthContext, type Connection, type ParsedKey } from 'ssh2';
import { type Launch, serveSession } from './embedded-session.ts';
import type { KeyPair } from './keys.ts';
import type { PipeMaker } from './pipes.ts';

export interface EmbeddedOptions {
  user: string;
  hostKey: KeyPair;
  /** Public key of the lab's client, in OpenSSH's form. */
  authorizedKey: string;
  password?: string | undefined;
  launch: Launch;
  pipes: PipeMaker;
  onChannel: () => void;
  onCommand: (command: string) => void;
}

/** Session channels a connection may hold at once: sshd's default MaxSessions. */
const maxSessions = 10;

export interface EmbeddedServer {
  serve(stream: Socket | Duplex): void;
}

/** An SSH service on ssh2's server side. It does not listen: streams are handed to it. */
export function embeddedServer(options: EmbeddedOptions): EmbeddedServer {
  const key = ssh2.utils.parseKey(options.authorizedKey);
  if (key instanceof Error) throw key;
  const server = new ssh2.Server({ hostKeys: [options.hostKey.private], ident: 'reeve-lab' }, (client) =>
    serveClient(client, key, options),
  );
  return { serve: (stream) => server.injectSocket(stream as Socket) };
}

function serveClient(client: Connection, key: ParsedKey, options: EmbeddedOptions): void {
  let sessions = 0;
  client.on('authentication', (context) => authenticate(context, key, options));
  // A cut connection is an error to ssh2 and daily bread to a lab.
  client.on('error', () => {});
  const disconnected = new AbortController();
  client.on('close', () => disconnected.abort());
  client.on('session', (accept, reject) => {
    if (sessions >= maxSessions) return reject();
    sessions++;
    options.onChannel();
    const session = accept();
    serveSession(session, {
      launch: options.launch,
      pipes: options.pipes,
      onCommand: options.onCommand,
      onEnd: () => sessions--,
      disconnected: disconnected.signal,
    });
  });
  client.on('tcpip', (accept, reject, info) => {
    options.onChannel();
    const socket = connect({ host: info.destIP, port: info.destPort, noDelay: true });
    socket.once('error', () => reject());
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      const channel = accept();
      socket.on('error', () => channel.close());
      channel.on('error', () => socket.destroy());
      channel.on('close', () => socket.destroy());
      channel.pipe(socket).pipe(channel);
    });
  });
}

function authenticate(context: AuthContext, key: ParsedKey, options: EmbeddedOptions): void {
  const methods: ('publickey' | 'password')[] =
    options.password === undefined ? ['publickey'] : ['publickey', 'password'];
  const accepted =
    context.username === options.user && (keyMatches(context, key) || passwordMatches(context, options.password));
  if (accepted) context.accept();
  else context.reject(methods);
}

function keyMatches(context: AuthContext, key: ParsedKey): boolean {
  if (context.method !== 'publickey') return false;
  const wanted = key.getPublicSSH();
  if (context.key.data.length !== wanted.length || !timingSafeEqual(context.key.data, wanted)) return false;
  // Without a signature it is a question whether the key would do.
  if (!context.signature || !context.blob) return true;
  return key.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function passwordMatches(context: AuthContext, password: string | undefined): boolean {
  return context.method === 'password' && password !== undefined && context.password === password;
}
