import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { http } from '../../../modules/net/http.ts';
import { waitFor } from '../../../modules/net/wait-for.ts';
import { waitForConnection } from '../../../modules/net/wait-for-connection.ts';
import { curlConfig } from '../../../modules/shared/http-request.ts';
import { canConnect } from '../../../runner/execute/can-connect.ts';
import { type ReadTarget, ReeveError } from '../../../runner/module.ts';
import { type LocalTarget, localTarget } from '../../support/local-target.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { describeShells } from '../../support/shells.ts';
import { exampleArgs, fillArgs } from './support.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

const seen: Seen[] = [];
const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    seen.push({ method: req.method!, url: req.url!, headers: req.headers, body: Buffer.concat(chunks).toString() });
    if (req.url === '/moved') res.writeHead(302, { location: '/json' }).end('go on');
    else if (req.url === '/json')
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end('{"ok":true}');
    else if (req.url === '/tricky')
      res.writeHead(200, { 'content-type': 'text/plain' }).end('HTTP/1.1 500 x\r\n\r\nline 2\nready\n');
    else if (req.url === '/none') res.writeHead(503).end('not now');
    else res.writeHead(200).end('hello');
  });
});
let base: string;
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  base = `http://127.0.0.1:${port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

let lt: LocalTarget;
let target: ReadTarget;
beforeEach(() => {
  seen.splice(0);
  lt = localTarget();
  target = { ...lt.read, canConnect };
  return () => lt.dispose();
});

describe.each([http, waitFor, waitForConnection])('$name', (module) => {
  it.each(module.examples)('accepts its example «$title»', ({ yaml }) => {
    expect(() => fillArgs(module, exampleArgs(module, yaml))).not.toThrow();
  });
});

const froms = Object.entries({ control: undefined, target: missing('curl') });
for (const [from, lacks] of froms) describe(`http from ${from}`, needs(lacks), () => requests(from));

function requests(from: string): void {
  const plan = (args: Record<string, unknown>) => http.plan(fillArgs(http, { from, ...args }), target);

  it('gets, follows and reads JSON', async () => {
    const { changes, facts } = await plan({ url: `${base}/moved`, return_content: true });
    expect(changes).toEqual([]);
    expect(facts).toMatchObject({ status: 200, json: { ok: true }, content: '{"ok":true}' });
    expect(await plan({ url: `${base}/moved`, follow: false, status_code: [301, 302] })).toMatchObject({
      facts: { status: 302 },
    });
    expect((await plan({ url: `${base}/tricky`, return_content: true })).facts).toMatchObject({
      content: 'HTTP/1.1 500 x\r\n\r\nline 2\nready\n',
    });
  });

  it('sends others only in apply', async () => {
    const body = { text: 'a "quoted" \\ line\nand @more' };
    const planned = await plan({
      url: `${base}/hook`,
      method: 'POST',
      body,
      token: 'abcdefgh',
      headers: { 'X-A': 'b c' },
    });
    expect(planned.changes).toEqual([{ summary: `POST ${base}/hook` }]);
    expect(seen).toEqual([]);
    const { facts } = await http.apply!(planned.next!, lt.write);
    expect(facts).toMatchObject({ status: 200, json: null, content: '' });
    expect(JSON.parse(seen[0]!.body)).toEqual(body);
    expect(seen[0]!.headers).toMatchObject({
      authorization: 'Bearer abcdefgh',
      'content-type': 'application/json',
      'x-a': 'b c',
    });
  });

  it('sends forms and basic authentication, in plan when it only reads', async () => {
    await plan({
      url: base,
      method: 'POST',
      reads: true,
      body: { a: 'x y', b: 1 },
      body_format: 'form',
      user: 'u',
      password: 'p:w',
    });
    expect(seen[0]).toMatchObject({ method: 'POST', body: 'a=x+y&b=1' });
    expect(seen[0]!.headers.authorization).toBe(`Basic ${Buffer.from('u:p:w').toString('base64')}`);
    expect(lt.secrets).toContain(Buffer.from('u:p:w').toString('base64'));
  });

  it('fails with the answer when the status is another, and without one', async () => {
    const error = await plan({ url: `${base}/none` }).catch((e) => e);
    expect(error).toMatchObject({ code: 'http-status', facts: { status: 503 } });
    expect(error.message).toContain('not now');
    await expect(plan({ url: 'http://127.0.0.1:1/' })).rejects.toMatchObject({
      code: 'http-unreachable',
      facts: { status: -1 },
    });
    expect((await plan({ url: base, method: 'HEAD' })).facts).toMatchObject({ status: 200 });
  });
}

describe.each([
  { shell: 'sh', program: 'wget' },
  { shell: 'busybox', program: 'busybox' },
] as const)('http by the wget of $shell', ({ shell, program }) => {
  it('gets, posts, and tells the status', needs(missing(program)), async () => {
    const own = localTarget({ shell });
    const read: ReadTarget['read'] = (script, options) =>
      own.read.read(script.replaceAll('command -v curl', 'command -v no-such-program'), options);
    const plan = (args: Record<string, unknown>) =>
      http.plan(fillArgs(http, { from: 'target', ...args }), { ...own.read, read });
    try {
      expect((await plan({ url: `${base}/moved` })).facts).toMatchObject({ status: 200, json: { ok: true } });
      await plan({ url: base, method: 'POST', reads: true, body: 'a b\nc', headers: { 'x-a': '1 2' } });
      expect(seen.at(-1)).toMatchObject({ method: 'POST', body: 'a b\nc', headers: { 'x-a': '1 2' } });
      await expect(plan({ url: `${base}/none` })).rejects.toMatchObject({ facts: { status: 503 } });
      await expect(plan({ url: 'http://127.0.0.1:1/' })).rejects.toMatchObject({ code: 'http-unreachable' });
    } finally {
      own.dispose();
    }
  });
});

describe('the options for curl', () => {
  it('keep what is secret and every character out of the arguments', () => {
    expect(curlConfig({ url: 'http://x/', headers: { a: 'b"c\\d' }, body: '1\n2' }, 3)).toContain(
      'header = "a: b\\"c\\\\d"\ndata-raw = "1\\n2"\n',
    );
  });
});

describe('wait-for', () => {
  const plan = (args: Record<string, unknown>) =>
    waitFor.plan(fillArgs(waitFor, { interval: '10ms', ...args }), target);

  it.each(['control', 'target'])('sees from %s that a port opens and closes', async (from) => {
    const tcp = createTcp();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const { port: open } = tcp.address() as AddressInfo;
    expect((await plan({ port: open, from })).facts).toMatchObject({ match: '' });
    await expect(plan({ port: open, from, state: 'stopped', timeout: 0 })).rejects.toMatchObject({ code: 'deadline' });
    await new Promise((resolve) => tcp.close(resolve));
    await plan({ port: open, from, state: 'stopped' });
    await expect(plan({ port: open, from, timeout: 0, msg: 'no API' })).rejects.toThrow(/^no API: waited .* closed/);
  });

  describeShells('on %s', ({ name: shell }) =>
    it('asks with what a bare system has', async () => {
      const bare = localTarget({ shell });
      try {
        const only: ReadTarget = {
          ...bare.read,
          // curl and nc are hidden, so that the kernel's own table is left.
          read: (script, options) =>
            bare.read.read(script.replaceAll(/command -v (nc|curl)/g, 'command -v no-such-program'), options),
        };
        expect(await waitFor.plan(fillArgs(waitFor, { port }), only)).toMatchObject({ changes: [] });
        const closed = fillArgs(waitFor, { port: 1, timeout: 0 });
        await expect(waitFor.plan(closed, only)).rejects.toMatchObject({ code: 'deadline' });
      } finally {
        bare.dispose();
      }
    }),
  );

  it('sees when the last connection is gone', async () => {
    const tcp = createTcp();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const own = (tcp.address() as AddressInfo).port;
    const accepted = new Promise<import('node:net').Socket>((resolve) => tcp.once('connection', resolve));
    const client = connect(own, '127.0.0.1');
    const socket = await accepted;
    await expect(plan({ port: own, state: 'drained', timeout: 0 })).rejects.toThrow(/1 connections are left/);
    // A reset leaves no TIME_WAIT behind.
    client.on('error', () => {});
    socket.resetAndDestroy();
    await plan({ port: own, state: 'drained', timeout: '20s' });
    client.destroy();
    tcp.close();
  });

  it('sees files come, go and hold something', async () => {
    const path = join(lt.root, 'a file');
    await plan({ path, state: 'absent' });
    await expect(plan({ path, timeout: 0 })).rejects.toThrow(/it is not there/);
    writeFileSync(path, 'starting\nready in 3 s\n');
    await plan({ path });
    expect((await plan({ path, search_regex: '^ready in \\d+' })).facts).toMatchObject({ match: 'ready in 3' });
    await expect(plan({ path, search_regex: 'stopped', timeout: 0 })).rejects.toMatchObject({ code: 'deadline' });
    await expect(plan({ path, state: 'absent', timeout: 0 })).rejects.toThrow(/still there/);
  });

  it('looks again until the file is there', async () => {
    const path = join(lt.root, 'late');
    let looks = 0;
    target = {
      ...target,
      read: (script, options) => {
        if (++looks === 3) writeFileSync(path, '');
        return lt.read.read(script, options);
      },
    };
    await plan({ path });
    expect(looks).toBe(3);
  });

  for (const [from, lacks] of froms) it(`waits from ${from} for an answer`, needs(lacks), () => waitsForAnswer(from));

  async function waitsForAnswer(from: string): Promise<void> {
    expect((await plan({ url: `${base}/tricky`, from, search_regex: '^ready$' })).facts).toMatchObject({
      match: 'ready',
    });
    await expect(plan({ url: `${base}/none`, from, timeout: 0 })).rejects.toThrow(/answers 503/);
    await plan({ url: `${base}/none`, from, state: 'stopped' });
    await plan({ url: `${base}/none`, from, status_code: 503 });
  }

  it.each([
    [{}, /needs one of/],
    [{ port: 1, path: '/x' }, /not several/],
    [{ path: '/x', state: 'drained' }, /drained/],
    [{ path: '/x', search_regex: '(' }, /regular expression/i],
    [{ port: 1, timeout: 'soon' }, /duration/],
  ])('refuses %j', (args, message) => expect(() => fillArgs(waitFor, args)).toThrow(message));

  it('describes itself', () => {
    const what = (args: Record<string, unknown>) => waitFor.waits!.what(fillArgs(waitFor, args));
    expect(what({ port: 6443, host: 'a' })).toBe('port 6443 on a to be there');
    expect(what({ path: '/x', search_regex: 'y', state: 'absent' })).toBe('/x not to hold /y/');
  });
});

describe('wait-for-connection', () => {
  it('waits through outages only', async () => {
    let tries = 0;
    const away = (code: string) => new ReeveError(code, 'away');
    const dropped: number[] = [];
    const read = async (): Promise<never> => {
      throw away('unreachable');
    };
    const flaky: ReadTarget = {
      ...target,
      read: (script, options) => (++tries < 3 ? read() : lt.read.read(script, options)),
      dropConnection: async () => void dropped.push(tries),
    };
    await waitForConnection.plan(fillArgs(waitForConnection, { interval: 0 }), flaky);
    expect([tries, dropped]).toEqual([3, [1, 2]]);
    const broken: ReadTarget = { ...target, read: () => Promise.reject(away('become-failed')) };
    await expect(waitForConnection.plan(fillArgs(waitForConnection, {}), broken)).rejects.toMatchObject({
      code: 'become-failed',
    });
    const gone: ReadTarget = { ...target, read };
    await expect(waitForConnection.plan(fillArgs(waitForConnection, { timeout: 0 }), gone)).rejects.toMatchObject({
      code: 'deadline',
    });
  });
});
