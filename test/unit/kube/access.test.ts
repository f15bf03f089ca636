import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterAccess, HostAccess } from '../../../runner/kube/access.ts';
import { openCluster } from '../../../runner/kube/cluster.ts';
import type { RunResult } from '../../../runner/module.ts';
import { type Api, startApi } from '../../lab/api/api.ts';
import { node } from '../../lab/api/fixtures.ts';
import { QUICK } from './target.ts';

let api: Api;
let folder: string;
const NODE = '/api/v1/nodes/agent-1';

beforeEach(async () => {
  api = await startApi();
  api.seed([node('agent-1')]);
  folder = await mkdtemp(join(tmpdir(), 'reeve-kube-'));
});
afterEach(async () => {
  await api.stop();
  await rm(folder, { recursive: true });
});

function ask(access: ClusterAccess | ClusterAccess[], ms = 5_000) {
  const cluster = openCluster(access, QUICK);
  const end = performance.now() + ms;
  const scope = { signal: new AbortController().signal, remaining: () => end - performance.now() };
  return cluster
    .reader(scope)
    .read({ method: 'GET', path: NODE })
    .finally(() => cluster.close());
}

describe('a kubeconfig', () => {
  test.each(['certificate', 'token'] as const)('with a %s', async (auth) => {
    const path = join(folder, 'config');
    await writeFile(path, api.kubeconfig({ auth }));
    expect((await ask({ kind: 'kubeconfig', path })).status).toBe(200);
  });

  test('with an exec plug-in beside it, which is told how to answer', async () => {
    await mkdir(join(folder, 'bin'));
    const plugin = join(folder, 'bin', 'login');
    const credential = `{"apiVersion":"$VERSION","kind":"ExecCredential","status":{"token":"${api.token}"}}`;
    await writeFile(
      plugin,
      `#!/bin/sh\nVERSION=$(printf %s "$KUBERNETES_EXEC_INFO" | sed 's/.*"apiVersion":"\\([^"]*\\)".*/\\1/')\n` +
        `[ "$VERSION" = client.authentication.k8s.io/v1 ] || exit 3\nprintf '%s' "${credential.replaceAll('"', '\\"')}"\n`,
    );
    await chmod(plugin, 0o755);
    await writeFile(join(folder, 'config'), withExec(api.kubeconfig({ auth: 'token' }), 'bin/login'));
    expect((await ask({ kind: 'kubeconfig', path: join(folder, 'config') })).status).toBe(200);
  });

  test('whose exec plug-in fails is an error with its last words', async () => {
    const text = withExec(api.kubeconfig({ auth: 'token' }), 'sh', ['-c', 'echo "please log in" >&2; exit 1']);
    await expect(ask({ kind: 'kubeconfig', text, origin: 'x.yaml' })).rejects.toMatchObject({
      code: 'cluster-credentials',
      message: 'The credential plug-in sh named in x.yaml failed: please log in',
    });
  });

  test('without verification, and with an authority that would not do', async () => {
    const text = api.kubeconfig().replace(/certificate-authority-data: \S+/, 'insecure-skip-tls-verify: true');
    expect((await ask({ kind: 'kubeconfig', text })).status).toBe(200);
  });

  test('with a proxy', async () => {
    const asked: string[] = [];
    const proxy = await startProxy(asked);
    const { port } = proxy.address() as { port: number };
    const text = api.kubeconfig().replace('cluster:\n', `cluster:\n      proxy-url: http://127.0.0.1:${port}\n`);
    expect((await ask({ kind: 'kubeconfig', text })).status).toBe(200);
    expect(asked).toEqual([`127.0.0.1:${api.port}`]);
    proxy.closeAllConnections();
    proxy.close();
  });

  test('made of several files, the first of them winning', async () => {
    const wrong = api.kubeconfig().replace(api.url, 'https://127.0.0.1:1');
    await writeFile(join(folder, 'a'), api.kubeconfig());
    await writeFile(join(folder, 'b'), wrong);
    const path = [join(folder, 'missing'), join(folder, 'a'), join(folder, 'b')].join(':');
    expect((await ask({ kind: 'kubeconfig', path })).status).toBe(200);
  });

  test('that is broken is told by line, without its content', async () => {
    const text = 'users:\n  - name: admin\n    user: { token: "secret-token-1 }\n  bad: [\n';
    const failure = await ask({ kind: 'kubeconfig', text, origin: 'x.yaml' }).catch((error) => error);
    expect(failure).toMatchObject({ code: 'kubeconfig-invalid', exitCode: 4 });
    expect(failure.message).toMatch(/^The kubeconfig x.yaml cannot be read: it is no valid YAML in line \d$/);
    expect(JSON.stringify(failure) + failure.stack).not.toContain('secret-token-1');
  });

  test.each([
    ['does not exist', { path: '/nonexistent/config' }, 'does not exist'],
    ['is empty', { text: '' }, 'it is no kubeconfig'],
    ['has no such context', { text: '', context: 'prod' }, 'has no context «prod»'],
  ])('that %s is an error', async (_, access, message) => {
    const text = 'context' in access ? api.kubeconfig() : (access as { text?: string }).text;
    await expect(ask({ kind: 'kubeconfig', ...access, ...(text !== undefined && { text }) })).rejects.toMatchObject({
      code: 'kubeconfig-invalid',
      message: expect.stringContaining(message),
    });
  });
});

describe('through a host', () => {
  /** A host that is this machine: a real sh, and a tunnel that goes to the API server. */
  function hostAccess(name: string, more: Partial<HostAccess> = {}): HostAccess & { tunnels: string[] } {
    const tunnels: string[] = [];
    return {
      kind: 'host',
      name,
      path: join(folder, 'it’s k3s.yaml'),
      tunnels,
      run: runHere,
      forward: async (host, port) => {
        tunnels.push(`${host}:${port}`);
        return dial(api.port);
      },
      ...more,
    };
  }

  // k3s writes https://127.0.0.1:6443: nothing listens there here, so only the tunnel can answer.
  const config = () => api.kubeconfig({ server: 'https://127.0.0.1:6443' });

  test('the kubeconfig is read there and the certificate verified for its own address', async () => {
    await writeFile(join(folder, 'it’s k3s.yaml'), config());
    const access = hostAccess('server-1');
    expect((await ask(access)).status).toBe(200);
    expect(access.tunnels).toEqual(['127.0.0.1:6443']);
    const container = hostAccess('server-2', { tunnelTo: '10.0.0.5' });
    expect((await ask(container)).status).toBe(200);
    expect(container.tunnels).toEqual(['10.0.0.5:6443']);
  });

  test('a certificate for another name is refused, tunnel or not', async () => {
    await writeFile(join(folder, 'it’s k3s.yaml'), api.kubeconfig({ server: 'https://10.99.0.1:6443' }));
    await expect(ask(hostAccess('server-1'))).rejects.toMatchObject({
      code: 'cluster-tls',
      hint: expect.stringContaining('tls-san'),
    });
  });

  test('a host that hangs holds up nobody who gives up', async () => {
    const cluster = openCluster(hostAccess('server-1', { run: () => new Promise(() => undefined) }), QUICK);
    const controller = new AbortController();
    const scope = { signal: controller.signal, remaining: () => 60_000 };
    const asked = cluster.reader(scope).read({ method: 'GET', path: NODE });
    const waited = cluster.reader(scope).until({ path: '/api/v1/nodes' }, () => undefined, 60_000);
    controller.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await expect(waited).rejects.toThrow('enough');
    expect(await cluster.serverReady('server-1', controller.signal).catch((error) => error.message)).toBe('enough');
  });

  test('a host without k3s.yaml says so', async () => {
    await expect(ask(hostAccess('agent-1', { path: '/nonexistent/k3s.yaml' }))).rejects.toMatchObject({
      code: 'kubeconfig-missing',
      message: 'agent-1 has no /nonexistent/k3s.yaml',
    });
  });

  test('the next server is asked when one is gone, has no kubeconfig, or refuses the tunnel', async () => {
    await writeFile(join(folder, 'it’s k3s.yaml'), config());
    const refused = hostAccess('refused', {
      forward: async () => {
        throw new Error('Channel open failure: Connection refused');
      },
    });
    const agent = hostAccess('agent', { path: '/nonexistent' });
    const good = hostAccess('server-3');
    expect((await ask([agent, refused, good])).status).toBe(200);
    expect(good.tunnels).toHaveLength(1);
  });

  test('a burst of requests opens no more than six connections', async () => {
    await writeFile(join(folder, 'it’s k3s.yaml'), config());
    const access = hostAccess('server-1');
    const cluster = openCluster(access, QUICK);
    const reader = cluster.reader({ signal: new AbortController().signal, remaining: () => 10_000 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => reader.read({ method: 'GET', path: NODE })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(access.tunnels).toHaveLength(6);
    cluster.close();
  });

  test('each server’s own readiness can be asked', async () => {
    await writeFile(join(folder, 'it’s k3s.yaml'), config());
    const second = await api.addServer({ name: 'second' });
    const accesses = [
      hostAccess('server-1'),
      hostAccess('server-2', { forward: async () => dial(Number(new URL(second.url).port)) }),
    ];
    const cluster = openCluster(accesses, QUICK);
    expect(await cluster.serverReady('server-1')).toEqual({ ready: true, detail: 'ok' });
    await api.goAway();
    expect(await cluster.serverReady('server-1')).toEqual({ ready: false, detail: 'connection refused' });
    expect(await cluster.serverReady('server-2')).toEqual({ ready: true, detail: 'ok' });
    cluster.close();
  });
});

function withExec(text: string, command: string, args: string[] = []): string {
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command, args, interactiveMode: 'Never' };
  return text.replace(/token: \S+/, `exec: ${JSON.stringify(exec)}`);
}

function runHere(script: string): Promise<RunResult> {
  return new Promise((accept) => {
    execFile('sh', ['-c', script], (error, stdout, stderr) => {
      const code = error ? Number(error.code) : 0;
      accept({
        code,
        stdout,
        stderr,
        raw: { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) },
        timedOut: false,
      });
    });
  });
}

function dial(port: number): Promise<Duplex> {
  return new Promise((accept, reject) => {
    const socket = connect(port, '127.0.0.1', () => accept(socket));
    socket.once('error', reject);
  });
}

async function startProxy(asked: string[]): Promise<Server> {
  const proxy = createServer().on('connect', (request, client) => {
    asked.push(request.url!);
    const [host, port] = request.url!.split(':');
    const server = connect(Number(port), host!, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    for (const end of [server, client]) end.on('error', () => undefined);
  });
  await new Promise<void>((accept) => proxy.listen(0, '127.0.0.1', accept));
  return proxy;
}
