import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LockOptions, takeLease } from '../../../runner/execute/lease-lock.ts';
import { openCluster } from '../../../runner/kube/cluster.ts';
import type { ClusterWriter } from '../../../runner/module.ts';
import { type Api, startApi } from '../../lab/api/api.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/reeve-upgrade';
/** An expiry that no loaded machine reaches while the holder lives. */
const QUICK = { expiry: 60_000, renew: 40, look: 10 };

let api: Api;
let cluster: ReturnType<typeof openCluster>;
let writer: ClusterWriter;
beforeEach(async () => {
  api = await startApi({ version: 'v1.30.4+k3s1' });
  cluster = openCluster({ kind: 'kubeconfig', text: api.kubeconfig() });
  writer = cluster.writer({ signal: AbortSignal.timeout(50_000), remaining: () => 20_000 });
});
afterEach(async () => {
  cluster.close();
  await api.stop();
});

const options = (holder: string, more: Partial<LockOptions> = {}): LockOptions => ({
  name: 'upgrade',
  holder,
  cluster: writer,
  signal: AbortSignal.timeout(50_000),
  allow: () => {},
  onWait: () => {},
  onLost: () => {},
  times: QUICK,
  ...more,
});

const holder = async () => (await writer.read({ method: 'GET', path: PATH })).body?.spec?.holderIdentity;

describe('the lock of a playbook', () => {
  it('of twenty that start at the same moment exactly one goes on; the others say who holds it, exit code 6', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => takeLease(options(`run ${n}`))));
    const won = tries.filter((one) => one.status === 'fulfilled');
    const lost = tries.filter((one) => one.status === 'rejected').map((one) => one.reason);
    expect(won).toHaveLength(1);
    expect(lost).toHaveLength(19);
    const name = await holder();
    for (const error of lost)
      expect(error).toMatchObject({ code: 'locked', exitCode: 6, message: expect.stringContaining(name) });
    await won[0]!.value.release();
  });

  it('is free again after release', async () => {
    const first = await takeLease(options('run 1'));
    await first.release();
    expect(await holder()).toBeUndefined();
    const second = await takeLease(options('run 2'));
    expect(await holder()).toBe('run 2');
    await second.release();
  });

  it('of a dead run is taken over once it was seen unchanged for as long as it lasts', async () => {
    // It never renews within this test: that is what a killed process looks like.
    const dead = await takeLease(options('dead', { times: { ...QUICK, renew: 1_000_000 } }));
    const said: string[] = [];
    const next = await takeLease(
      options('run 2', { onWait: (message) => said.push(message), times: { ...QUICK, expiry: 300 } }),
    );
    expect(said).toEqual(['upgrade is locked by dead; looking for up to 1 s whether that run is alive']);
    expect(await holder()).toBe('run 2');
    await next.release();
    await dead.release();
  });

  it('whose holder finds another one in it tells its run to stop, and leaves the other alone', async () => {
    let told = '';
    const lost = new Promise<void>((resolve) => {
      void takeLease(
        options('run 1', {
          onLost: (message) => {
            told = message;
            resolve();
          },
        }),
      ).then(async () => {
        const { body } = await writer.read({ method: 'GET', path: PATH });
        await writer.write({
          method: 'PUT',
          path: PATH,
          body: { ...body, spec: { ...body.spec, holderIdentity: 'thief' } },
        });
      });
    });
    await lost;
    expect(told).toContain('thief');
    expect(await holder()).toBe('thief');
  });

  it('survives an API that goes away for a while', async () => {
    const lock = await takeLease(options('run 1'));
    await api.goAway();
    await api.comeBack({});
    expect(await holder()).toBe('run 1');
    await lock.release();
    expect(await holder()).toBeUndefined();
  });
});
