import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { canConnect } from '../../../runner/execute/can-connect.ts';

it('tells an open port from a closed one, and gives up when told to', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await canConnect('127.0.0.1', port, 5000)).toBe(true);
  await new Promise((resolve) => server.close(resolve));
  expect(await canConnect('127.0.0.1', port, 5000)).toBe(false);
  const stop = new AbortController();
  // A network of documentation addresses: nobody answers there.
  const asked = canConnect('203.0.113.1', 9, 60_000, stop.signal);
  stop.abort();
  expect(await asked).toBe(false);
});
