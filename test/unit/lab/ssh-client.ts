import { readFileSync } from 'node:fs';
import ssh2, { type Client, type ConnectConfig } from 'ssh2';
import type { LabHost, LabHosts } from '../../lab/hosts/types.ts';

export interface Outcome {
  code: number | null;
  signal: string | undefined;
  stdout: Buffer;
  stderr: Buffer;
}

/** Connects to a lab host with the lab's key, its host key checked. */
export function connect(lab: LabHosts, host: LabHost, more: ConnectConfig = {}): Promise<Client> {
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    client.on('ready', () => resolve(client));
    client.on('error', reject);
    client.connect({
      host: host.address,
      port: host.port,
      username: host.user,
      privateKey: readFileSync(lab.privateKeyFile),
      hostVerifier: (key: Buffer) => key.toString('base64') === host.hostKey.split(' ')[1],
      ...more,
    });
    client.setNoDelay(true);
  });
}

/** Runs one command line and waits until its channel has closed. */
export function run(client: Client, command: string, stdin: string | Buffer = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let code: number | null = null;
      let signal: string | undefined;
      channel.on('data', (chunk: Buffer) => stdout.push(chunk));
      channel.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      channel.on('exit', (status: number | null, name?: string) => {
        code = status;
        signal = name;
      });
      channel.on('close', () =>
        resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) }),
      );
      channel.end(stdin);
    });
  });
}

/** Runs a command on a host over a connection of its own; gives trimmed text. */
export async function runOnce(lab: LabHosts, host: LabHost, command: string) {
  const client = await connect(lab, host);
  try {
    const outcome = await run(client, command);
    return { ...outcome, out: outcome.stdout.toString().trim(), err: outcome.stderr.toString().trim() };
  } finally {
    client.end();
  }
}
