import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { etcdSnapshot } from '../../../../modules/k3s/etcd-snapshot.ts';
import { parseSnapshotList, surplus } from '../../../../modules/shared/k3s-snapshots.ts';
import { binary } from '../../../lab/hosts/artifact-server.ts';
import { startHosts } from '../../../lab/hosts/start-hosts.ts';
import type { LabHost, LabHosts } from '../../../lab/hosts/types.ts';
import { type LabTarget, labTarget } from '../../../support/lab-target.ts';
import { exampleArgs, fillArgs } from '../support.ts';

let lab: LabHosts;
let host: LabHost;
let lt: LabTarget;
const file = (path: string) => join(host.root, path);
const sha = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

beforeAll(async () => {
  lab = await startHosts({ hosts: [{ name: 'server-1' }] });
  host = lab.get('server-1');
  lt = labTarget(host);
  host.setKnob('k3s-start', '0');
  writeFileSync(file('usr/local/bin/k3s'), binary('v1.31.5+k3s1'), { mode: 0o755 });
  writeFileSync(
    file('etc/systemd/system/k3s.service'),
    `[Service]\nType=notify\nExecStart=${file('usr/local/bin/k3s')} server\n[Install]\nWantedBy=multi-user.target\n`,
  );
  mkdirSync(file('var/lib/rancher/k3s/server/db/etcd'), { recursive: true });
  mkdirSync(file('mnt'));
  writeFileSync(file('var/lib/rancher/k3s/server/token'), 'K10aa::server:bb\n');
  await lt.target.run('systemctl start k3s');
});
afterAll(async () => {
  lt.dispose();
  await lab.stop();
});
beforeEach(() => host.setKnob('snapshot', undefined));

const args = (more: Record<string, unknown> = {}) =>
  fillArgs(etcdSnapshot, {
    bin_dir: file('usr/local/bin'),
    systemd_dir: file('etc/systemd/system'),
    data_dir: file('var/lib/rancher/k3s'),
    config_dir: file('etc/rancher/k3s'),
    ...more,
  });
async function run(more: Record<string, unknown> = {}) {
  const planned = await etcdSnapshot.plan(args(more), lt.target);
  return { planned, ...(await etcdSnapshot.apply!(planned.next!, lt.target)) };
}

describe('etcd-snapshot', () => {
  it.each(etcdSnapshot.examples)('accepts its example «$title»', ({ yaml }) => {
    expect(() => fillArgs(etcdSnapshot, exampleArgs(etcdSnapshot, yaml))).not.toThrow();
  });

  it('saves, verifies, copies, and records the hash of the token', async () => {
    const { facts } = await run({ name: 'before', copy_to: file('mnt') });
    const path = String(facts!.path);
    expect(path).toContain('/server/db/snapshots/before-server-1-');
    expect(facts).toMatchObject({
      datastore: 'etcd',
      saved: true,
      size: readFileSync(path).length,
      sha256: sha(readFileSync(path)),
      token_sha256: sha('K10aa::server:bb\n'),
    });
    expect(readFileSync(String(facts!.copy))).toEqual(readFileSync(path));
    expect(readdirSync(file('mnt'))).toHaveLength(1);
  });

  it('deletes no more and no others than it said', async () => {
    const dir = file('var/lib/rancher/k3s/server/db/snapshots');
    for (const name of [
      'old-server-1-1700000001',
      'old-server-1-1700000002',
      'older-server-1-1600000000',
      'old-server-10-5',
    ]) {
      writeFileSync(join(dir, name), 'x');
    }
    const { planned, facts } = await run({ name: 'old', keep: 2 });
    expect(planned.changes.map((change) => change.summary).slice(1)).toEqual([
      'etcd snapshot old-server-1-1700000001: delete, only 2 are kept',
    ]);
    expect(facts!.pruned).toEqual(['old-server-1-1700000001']);
    expect(existsSync(join(dir, 'old-server-1-1700000002'))).toBe(true);
    expect(existsSync(join(dir, 'older-server-1-1600000000'))).toBe(true);
    expect(existsSync(join(dir, 'old-server-10-5'))).toBe(true);
  });

  it.each([
    ['empty', /size of 0/],
    ['fail', /ResourceExhausted/],
  ])('fails when the snapshot is %s', async (knob, message) => {
    host.setKnob('snapshot', knob);
    await expect(run()).rejects.toMatchObject({ code: 'snapshot-failed', message: expect.stringMatching(message) });
  });

  it('leaves SQLite to the upgrade, and refuses an external datastore', async () => {
    const etcd = file('var/lib/rancher/k3s/server/db/etcd');
    rmSync(etcd, { recursive: true });
    try {
      writeFileSync(file('var/lib/rancher/k3s/server/db/state.db'), 'x');
      const planned = await etcdSnapshot.plan(args(), lt.target);
      expect(planned).toMatchObject({ changes: [], facts: { datastore: 'sqlite', saved: false } });
      writeFileSync(file('etc/rancher/k3s/config.yaml'), 'datastore-endpoint: mysql://x\n');
      await expect(etcdSnapshot.plan(args(), lt.target)).rejects.toMatchObject({ code: 'external-datastore' });
    } finally {
      rmSync(file('etc/rancher/k3s/config.yaml'));
      mkdirSync(etcd);
    }
  });
});

describe('the list of snapshots', () => {
  const list = parseSnapshotList(
    [
      'time="2026-01-01T00:00:00Z" level=info msg="Managed etcd"',
      'Name                    Location                                   Size    Created',
      'a-n1-1700000001         file:///var/lib/a-n1-1700000001            100     2026-01-01T00:00:00Z',
      'a-n1-1700000001         s3://bucket/a-n1-1700000001                100     2026-01-01T00:00:00Z',
      'a-n1-900000000          file:///var/lib/a-n1-900000000             100     2026-01-01T00:00:00Z',
    ].join('\n'),
  );
  it('is read without headings and log lines', () => expect(list).toHaveLength(3));
  it('counts only files, the oldest by number first', () => {
    expect(surplus(list, 'a', 'n1', 1, 0).map((one) => one.name)).toEqual(['a-n1-900000000']);
    expect(surplus(list, 'a', 'n1', 1, 1)).toHaveLength(2);
    expect(surplus(list, 'a', 'n2', 1, 1)).toEqual([]);
  });
});
