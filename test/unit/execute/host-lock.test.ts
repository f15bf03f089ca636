import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createConnections } from '../../../runner/connect/connections.ts';
import type { ConnectionSpec, Connections } from '../../../runner/connect/types.ts';
import {
  breakHostLock,
  type HostLockOptions,
  listHostLocks,
  type RunScript,
  takeHostLock,
} from '../../../runner/execute/host-lock.ts';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHosts } from '../../lab/hosts/types.ts';
import { isAll } from '../../support/size.ts';

/** An expiry that no loaded machine reaches while the holder lives. */
const QUICK = { expiry: 60_000, renew: 50, look: 20 };
const MANY = isAll ? 20 : 8;

let hosts: LabHosts;
let connections: Connections;
let run: RunScript;
let dir: string;
let top: string;
beforeAll(async () => {
  hosts = await startHosts({ hosts: [{ name: 'one' }] });
  const host = hosts.get('one');
  const spec: ConnectionSpec = {
    host: 'one',
    transport: 'ssh',
    address: host.address,
    port: host.port,
    user: host.user,
    privateKeyFile: hosts.privateKeyFile,
    knownHostsFile: hosts.knownHostsFile,
  };
  connections = createConnections({ hostKeyChecking: 'strict' });
  run = (script) => connections.run(spec, undefined, { script, timeout: 100_000 });
});
afterAll(async () => {
  await connections.close();
  await hosts.stop();
});
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'reeve-lock-'));
  dir = join(top, 'not yet', 'locks');
  mkdirSync(join(top, 'not yet'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const options = (holder: string, more: Partial<HostLockOptions> = {}): HostLockOptions => ({
  ...{ name: 'deploy', lock: 'deploy', holder, dir, run, times: QUICK },
  signal: AbortSignal.timeout(50_000),
  onLost: () => {},
  ...more,
});
const holder = async () => (await listHostLocks(run, dir)).get('deploy')?.holder;

describe('a lock on a host, over SSH', () => {
  it(`of ${MANY} that start at the same moment exactly one goes on; the others say who holds it, exit code 6`, async () => {
    const tries = await Promise.allSettled(Array.from({ length: MANY }, (_, n) => takeHostLock(options(`run ${n}`))));
    const won = tries.filter((one) => one.status === 'fulfilled');
    expect(won).toHaveLength(1);
    const name = await holder();
    const lost = tries.filter((one) => one.status === 'rejected').map((one) => one.reason);
    for (const error of lost)
      expect(error).toMatchObject({
        code: 'locked',
        exitCode: 6,
        message: expect.stringContaining(`${name} since 20`),
      });
    await won[0]!.value.release();
  });

  it(`never has two holders, though ${MANY} take it, give it back and take it again`, async () => {
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: MANY }, async (_, n) => {
        const lock = await takeHostLock(options(`run ${n}`, { wait: 45_000 }));
        most = Math.max(most, ++inside);
        await pause(5);
        inside--;
        await lock.release();
      }),
    );
    expect(most).toBe(1);
    // What is past is swept away.
    expect(readdirSync(join(dir, 'deploy')).length).toBeLessThan(3);
  });

  it('of a dead run is taken over by exactly one, once it was seen unchanged for as long as it lasts', async () => {
    await takeHostLock(options('dead', { times: { ...QUICK, renew: 1_000_000 } }));
    const waiting = [1, 2, 3].map((n) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      return { promise, taking: takeHostLock(options(`run ${n}`, { onWait: resolve })) };
    });
    const taken = Promise.allSettled(waiting.map(({ taking }) => taking));
    // As long as none of them has seen a sign of life for the time that it lasts, none of them takes it.
    await Promise.all(waiting.map(({ promise }) => promise));
    expect(await holder()).toBe('dead');
    const now = performance.now.bind(performance);
    const later = vi.spyOn(performance, 'now').mockImplementation(() => now() + 2 * QUICK.expiry);
    try {
      expect((await taken).filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    } finally {
      later.mockRestore();
    }
    expect(await holder()).toMatch(/^run /);
  });

  it('whose holder is just writing its name is not free', async () => {
    mkdirSync(join(dir, 'deploy', '1'), { recursive: true });
    for (const file of ['owner', 'beat']) writeFileSync(join(dir, 'deploy', '1', file), '');
    expect([...(await listHostLocks(run, dir))]).toEqual([['deploy', expect.objectContaining({ holder: 'somebody' })]]);
    const waited = Promise.withResolvers<string>();
    const giveUp = new AbortController();
    const taking = takeHostLock(options('run 2', { onWait: waited.resolve, signal: giveUp.signal }));
    // Either it waits, as it must, or it takes what is not its own.
    await Promise.race([waited.promise, taking]);
    giveUp.abort();
    await expect(taking).rejects.toThrow();
    expect(readdirSync(join(dir, 'deploy'))).toEqual(['1']);
  });

  it('that was broken tells its holder to stop, and stays free', async () => {
    const { promise: lost, resolve: onLost } = Promise.withResolvers<string>();
    await takeHostLock(options('run 1', { onLost }));
    const found = await breakHostLock({ lock: 'deploy', holder: 'an operator', dir, run });
    expect(found?.holder).toBe('run 1');
    // Breaking is taking and giving back: a renewal can look in between.
    expect(await lost).toMatch(/deploy was (removed|taken by an operator); this run stops/);
    expect(await holder()).toBeUndefined();
  });

  it('is looked at again before an effect when this machine has slept', async () => {
    let told = '';
    const lock = await takeHostLock(
      options('run 1', { times: { ...QUICK, renew: 1_000_000 }, onLost: (message) => (told = message) }),
    );
    await lock.confirm();
    await breakHostLock({ lock: 'deploy', holder: 'an operator', dir, run });
    await lock.confirm();
    expect(told).toBe('');
    const now = Date.now;
    Date.now = () => now() + 3_000_000;
    try {
      await lock.confirm();
    } finally {
      Date.now = now;
    }
    expect(told).toContain('deploy was removed');
  });

  it('of a live run does not expire when the clock jumps, forward or back', async () => {
    const lock = await takeHostLock(options('run 1'));
    const now = Date.now;
    try {
      for (const jump of [10_000_000, -10_000_000]) {
        Date.now = () => now() + jump;
        await expect(takeHostLock(options('run 2'))).rejects.toMatchObject({ code: 'locked' });
        await lock.confirm();
      }
    } finally {
      Date.now = now;
    }
    expect(await holder()).toBe('run 1');
    await lock.release();
  });

  it('says so when its folder cannot be made', async () => {
    await expect(takeHostLock(options('run 1', { dir: '/proc/nowhere' }))).rejects.toMatchObject({
      code: 'lock-failed',
      exitCode: 6,
    });
  });
});
