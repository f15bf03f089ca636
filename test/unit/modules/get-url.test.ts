import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { getUrl } from '../../../modules/files/get-url.ts';
import { sha256Of } from '../../../modules/shared/write.ts';
import { type LocalTarget, localTarget } from '../../support/local-target.ts';
import { fillArgs } from '../../support/module-suite.ts';

const CONTENT = Buffer.from([0, 1, 2, 255, 10]);
let server: Server;
let target: LocalTarget;
let url: string;
let requests: string[];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers['x-key'] ?? ''}`.trim());
    response.writeHead(request.url === '/gone' ? 404 : 200).end(CONTENT);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  target = localTarget();
});
afterAll(() => {
  server.close();
  target.dispose();
});
beforeEach(() => {
  requests = [];
});

const plan = (args: Record<string, unknown>) => getUrl.plan(fillArgs(getUrl, args) as never, target.read);
const path = (name: string) => join(target.root, name);

test('a new file is downloaded by apply alone, and undone', async () => {
  const args = { url: `${url}/tool?token=x`, dest: path('tool'), mode: '0755', headers: { 'X-Key': 'k' } };
  const first = await plan(args);
  expect(first.changes.map((change) => change.summary)).toEqual([`${path('tool')}: create from ${url}/tool`]);
  expect(requests).toEqual([]);
  const { facts, undo } = await getUrl.apply!(first.next!, target.write);
  expect(requests).toEqual(['/tool?token=x k']);
  expect(readFileSync(path('tool'))).toEqual(CONTENT);
  expect(statSync(path('tool')).mode & 0o777).toBe(0o755);
  const again = await plan(args);
  expect(again).toEqual({ changes: [], facts });
  expect(requests).toHaveLength(1);
  await getUrl.undo!(undo as never, target.write);
  expect(() => statSync(path('tool'))).toThrow('ENOENT');
});

test('a checksum decides without a download', async () => {
  mkdirSync(path('dir'));
  writeFileSync(path('dir/the file'), CONTENT);
  const args = { url: `${url}/the%20file`, dest: path('dir'), checksum: `sha256:${sha256Of(CONTENT).toUpperCase()}` };
  expect((await plan(args)).changes).toEqual([]);
  writeFileSync(path('dir/the file'), 'other');
  const { next, predicted } = await plan(args);
  expect(predicted).toEqual({ path: path('dir/the file'), sha256: sha256Of(CONTENT) });
  expect(requests).toEqual([]);
  await getUrl.apply!(next!, target.write);
  expect(readFileSync(path('dir/the file'))).toEqual(CONTENT);
});

test('a wrong checksum or answer writes nothing', async () => {
  const wrong = await plan({ url: `${url}/a`, dest: path('a'), checksum: '0'.repeat(64) });
  await expect(getUrl.apply!(wrong.next!, target.write)).rejects.toMatchObject({ code: 'checksum-mismatch' });
  const gone = await plan({ url: `${url}/gone`, dest: path('a') });
  await expect(getUrl.apply!(gone.next!, target.write)).rejects.toThrow('/gone answered 404');
  expect(() => statSync(path('a'))).toThrow('ENOENT');
});

test('force compares each time; without it a file is left alone but for its permissions', async () => {
  writeFileSync(path('list'), 'old', { mode: 0o644 });
  const args = { url: `${url}/list`, dest: path('list') };
  expect((await plan(args)).changes).toEqual([]);
  expect((await plan({ ...args, mode: '0600' })).changes).toHaveLength(1);
  expect(requests).toEqual([]);
  const { next } = await plan({ ...args, force: true });
  await getUrl.apply!(next!, target.write);
  expect(readFileSync(path('list'))).toEqual(CONTENT);
  expect((await plan({ ...args, force: true })).changes).toEqual([]);
  expect(requests).toHaveLength(2);
});
