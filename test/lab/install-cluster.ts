import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary, installScript } from './hosts/artifact-server.ts';
import type { LabHost } from './hosts/types.ts';
import type { FullLabOptions } from './lab-options.ts';

export interface Installation {
  host: LabHost;
  role: 'server' | 'agent';
  /** URL of the first server, which the others join. */
  join: string | undefined;
  /** What this server has as its k3s.yaml, with the URL of its own API. */
  kubeconfig: string | undefined;
  artifactsUrl: string;
}

/** Makes a host a running member of the cluster, by the install script as an operator would. @throws Error with its output */
export async function installMember(installation: Installation, options: FullLabOptions): Promise<void> {
  const { host, role } = installation;
  const below = (path: string) => join(host.root, path);
  host.setKnob('token', options.token);
  host.setKnob('k3s-start', String(options.startMs / 1000));
  writeFileSync(below('usr/local/bin/k3s'), binary(options.version), { mode: 0o755 });
  if (role === 'server') prepareServer(installation, options);
  const argv = role === 'server' ? serverArgv(installation, options) : ['agent', ...options.agentArgs];
  const variables: Record<string, string> = {
    INSTALL_K3S_SKIP_DOWNLOAD: 'true',
    K3S_TOKEN: options.token,
    ...(role === 'agent' && installation.join ? { K3S_URL: installation.join } : {}),
  };
  writeFileSync(below('tmp/install.sh'), installScript(installation.artifactsUrl));
  await run(host, ['sh', below('tmp/install.sh'), ...argv], variables);
}

function prepareServer({ host, kubeconfig }: Installation, options: FullLabOptions): void {
  const below = (path: string) => join(host.root, path);
  const server = below('var/lib/rancher/k3s/server');
  writeFileSync(below('etc/rancher/k3s/k3s.yaml'), kubeconfig ?? '', { mode: 0o600 });
  writeFileSync(below('etc/rancher/k3s/config.yaml'), 'secrets-encryption: true\n', { mode: 0o600 });
  mkdirSync(join(server, 'db'), { recursive: true });
  if (options.datastore === 'etcd') mkdirSync(join(server, 'db/etcd/member'), { recursive: true });
  else writeFileSync(join(server, 'db/state.db'), 'SQLite format 3\0 of the lab\n', { mode: 0o644 });
  for (const name of ['token', 'node-token']) writeFileSync(join(server, name), `${options.token}\n`, { mode: 0o600 });
}

function serverArgv({ join: first }: Installation, options: FullLabOptions): string[] {
  const init = options.datastore === 'etcd' ? ['--cluster-init'] : [];
  return ['server', ...(first ? ['--server', first] : init), ...options.serverArgs];
}

function run(host: LabHost, argv: string[], variables: Record<string, string>): Promise<void> {
  const program = join(host.root, 'usr/bin', argv[0]!);
  const child = spawn(program, argv.slice(1), {
    env: { ...host.environment, ...variables },
    cwd: join(host.root, 'root'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk) => said.push(chunk));
  child.stderr.on('data', (chunk) => said.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the install script failed on ${host.name}: ${Buffer.concat(said)}`));
    });
  });
}
