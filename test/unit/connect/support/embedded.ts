import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';

export interface EmbeddedOptions {
  /** Accepts this password, by the password method or, with `keyboard`, by keyboard-interactive only. */
  password?: string;
  keyboard?: boolean;
  /** Accepts any key. */
  anyKey?: boolean;
  /** Drops this many TCP connections before it begins to speak. */
  dropFirst?: number;
  /** Sessions a connection; OpenSSH's stock value is 10. */
  maxSessions?: number;
  /** Text before the shell's own output, on both streams. */
  noise?: string;
}

export interface EmbeddedServer {
  port: number;
  /** The host key as it stands in known_hosts: type and base64. */
  hostKey: string;
  /** Connections that were let in so far. */
  logins: number;
  /** Methods that were tried, in order. */
  methods: string[];
  /** Cuts all connections; the shells go on. */
  cut(): void;
  stop(): Promise<void>;
}

/** A small SSH server on 127.0.0.1 that runs commands with the machine's own sh and forwards ports. */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const { privateKey, publicKey } = generateHostKey();
  const children = new Set<ChildProcess>();
  const sockets = new Set<Socket>();
  let drops = options.dropFirst ?? 0;
  const state: EmbeddedServer = {
    port: 0,
    hostKey: publicKey,
    logins: 0,
    methods: [],
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      state.cut();
      for (const child of children) killGroup(child);
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => serve(client, options, state, children));
  const tcp: TcpServer = createServer((socket) => {
    sockets.add(socket);
    // Else each answer waits for the client's delayed acknowledgement.
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    if (drops-- > 0) socket.destroy();
    else server.injectSocket(socket);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  state.port = (tcp.address() as { port: number }).port;
  return state;
}

function generateHostKey(): { privateKey: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
  const parsed = ssh2.utils.parseKey(pem);
  if (parsed instanceof Error) throw parsed;
  return { privateKey: pem, publicKey: `ssh-rsa ${parsed.getPublicSSH().toString('base64')}` };
}

function serve(client: Connection, options: EmbeddedOptions, state: EmbeddedServer, children: Set<ChildProcess>): void {
  let sessions = 0;
  client.on('error', () => {});
  client.on('authentication', (context) => authenticate(context, options, state));
  client.on('ready', () => {
    state.logins++;
    client.on('session', (accept, reject) => {
      if (sessions >= (options.maxSessions ?? 10)) return reject();
      sessions++;
      accept().on('exec', (acceptExec, _reject, info) => execute(acceptExec(), info.command, options, children));
    });
    client.on('tcpip', (accept, reject, info) => {
      const socket = connect(info.destPort, info.destIP, () => {
        const channel = accept();
        channel.on('error', () => socket.destroy());
        socket.pipe(channel).pipe(socket);
      });
      socket.once('error', () => reject());
    });
  });
}

function authenticate(context: AuthContext, options: EmbeddedOptions, state: EmbeddedServer): void {
  state.methods.push(context.method);
  const offered = [
    ...(options.anyKey ? ['publickey' as const] : []),
    ...(options.password === undefined
      ? []
      : [options.keyboard ? ('keyboard-interactive' as const) : ('password' as const)]),
  ];
  const right = (given: string | undefined) =>
    given === options.password ? context.accept() : context.reject(offered);
  if (context.method === 'publickey' && options.anyKey) context.accept();
  else if (context.method === 'password' && !options.keyboard && options.password !== undefined)
    right(context.password);
  else if (context.method === 'keyboard-interactive' && options.keyboard) {
    context.prompt([{ prompt: 'Password: ', echo: false }], (answers) => right(answers[0]));
  } else context.reject(offered);
}

function execute(channel: ServerChannel, command: string, options: EmbeddedOptions, children: Set<ChildProcess>): void {
  const child = spawn('sh', ['-c', command], { detached: true });
  children.add(child);
  if (options.noise) {
    channel.write(options.noise);
    channel.stderr.write(options.noise);
  }
  channel.on('error', () => {});
  child.stdin.on('error', () => {});
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  // As sshd does: the code is told at once, and the channel closed when nobody holds the streams open any more.
  child.once('exit', (code, signal) => {
    if (!channel.writable) return;
    if (signal) channel.exit(signal.replace('SIG', '') as never);
    else channel.exit(code ?? 0);
  });
  child.once('close', () => {
    children.delete(child);
    if (channel.writable) channel.end();
  });
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // Ended already.
  }
}
