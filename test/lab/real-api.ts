/**
 * A real kube-apiserver with its etcd, from the folder that KUBEBUILDER_ASSETS names (as setup-envtest fetches it): no
 * controllers, no scheduler, no kubelets. Written after controller-runtime's envtest; not run on a machine without it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { openCluster } from '../../runner/kube/cluster.ts';
import type { KubeObject } from '../../runner/module.ts';

export interface RealApi {
  kubeconfig: string;
  stop(): Promise<void>;
}

/** Why there is no real API server here, or undefined when there is one. */
export function realApiMissing(): string | undefined {
  const folder = process.env.KUBEBUILDER_ASSETS;
  if (!folder) return 'a real API server is missing (KUBEBUILDER_ASSETS is not set)';
  const missing = ['etcd', 'kube-apiserver'].filter((name) => !existsSync(join(folder, name)));
  return missing.length > 0 ? `${folder} has no ${missing.join(' and no ')}` : undefined;
}

/** Starts both and waits until the API is ready. Pods that are deleted end at once, as if their kubelets did it. */
export async function startRealApi(): Promise<RealApi> {
  const folder = await mkdtemp(join(tmpdir(), 'reeve-apiserver-'));
  const [client, peer, secure] = (await Promise.all([freePort(), freePort(), freePort()])) as [number, number, number];
  const token = randomBytes(16).toString('hex');
  const key = join(folder, 'service-account.key');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n`);
  const etcdUrl = `http://127.0.0.1:${client}`;
  const processes = [
    start('etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
    ]),
    start('kube-apiserver', [
      `--etcd-servers=${etcdUrl}`,
      `--cert-dir=${join(folder, 'certificates')}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${secure}`,
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://127.0.0.1',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      // Without a controller nobody makes the accounts that this plug-in asks for.
      '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    ]),
  ];
  const kubeconfig = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'real', cluster: { server: `https://127.0.0.1:${secure}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'real', user: { token } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'real' } }],
    'current-context': 'real',
  });
  const kubelets = endPods(kubeconfig);
  return {
    kubeconfig,
    async stop() {
      await kubelets.stop();
      await Promise.all(processes.reverse().map(end));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Plays the kubelets: removes pods that are being deleted, until stopped. */
function endPods(kubeconfig: string): { stop(): Promise<void> } {
  const controller = new AbortController();
  const cluster = openCluster({ kind: 'kubeconfig', text: kubeconfig });
  const writer = cluster.writer({ signal: controller.signal, remaining: () => 600_000 });
  const remove = ({ metadata }: KubeObject) =>
    writer
      .write({
        method: 'DELETE',
        path: `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`,
        body: { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } },
        idempotent: true,
      })
      .catch(() => undefined);
  const watching = writer
    .until(
      { path: '/api/v1/pods' },
      (pods) => {
        for (const pod of pods) if (pod.metadata.deletionTimestamp) void remove(pod);
        return undefined;
      },
      600_000,
    )
    .catch(() => undefined);
  return {
    async stop() {
      controller.abort();
      await watching;
      cluster.close();
    },
  };
}

function start(name: string, args: string[]): ChildProcess {
  return spawn(join(process.env.KUBEBUILDER_ASSETS!, name), args, { stdio: 'ignore' });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
