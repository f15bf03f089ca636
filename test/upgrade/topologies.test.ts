import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Node } from '../lab/api/objects.ts';
import { conditionOf } from '../lab/api/objects.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { large } from '../support/size.ts';
import { upgrade } from './support/run-upgrade.ts';
import { follow, versions } from './support/timeline.ts';

const FROM = 'v1.30.4+k3s1';
const PATCH = 'v1.30.8+k3s1';
const TO = 'v1.31.5+k3s1';

/** What a run over one node after the other must look like from the API. */
const oneByOne = (nodes: string[], version: string) =>
  nodes.flatMap((node) => [`cordoned ${node}`, `${node} runs ${version}`, `opened ${node}`]);

type Groups = Record<string, { hosts: Record<string, Record<string, unknown>> }>;

/** Rewrites the lab's inventory; gives the path of the new file. */
function otherInventory(lab: Lab, change: (groups: Groups) => void): void {
  const inventory = parse(readFileSync(lab.inventoryFile, 'utf8'));
  change(inventory.all.children);
  writeFileSync(lab.inventoryFile, stringify(inventory));
}

describe('topologies', () => {
  it('drains each of three servers and waits until it votes in etcd again', large, async () => {
    await using lab = await startLab({ servers: 3, agents: 1 });
    const timeline = follow(lab);
    let learners = 0;
    lab.api.state.subscribe(({ object }) => {
      if (object.kind !== 'Node') return;
      const nodes = lab.api.state.list<Node>('nodes');
      const waiting = nodes.filter((node) => conditionOf(node, 'EtcdIsVoter')?.status === 'False').length;
      learners = Math.max(learners, waiting);
    });
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
    expect(timeline.steps).toEqual(oneByOne(['server-1', 'server-2', 'server-3', 'agent-1'], TO));
    expect(timeline.mostCordoned).toBe(1);
    expect(learners).toBe(1);
  });

  it('stops before the next server while one is no voter of etcd', large, async () => {
    await using lab = await startLab({ servers: 3, agents: 0 });
    lab.hosts.get('server-1').setKnob('etcd-learner', 'yes');
    const { exitCode, text } = await upgrade(lab, { version: TO, recovery_limit: '4s' });
    expect(exitCode).toBe(2);
    expect(text).toMatch(/server-1 is no voting member of etcd yet/);
    expect(text).toContain('node server-1 is left cordoned');
    expect(versions(lab)).toEqual({ 'server-1': TO, 'server-2': FROM, 'server-3': FROM });
  });

  it('does not make an agent newer than a server that the inventory does not know', large, async () => {
    await using lab = await startLab({ servers: 2, agents: 1 });
    otherInventory(lab, (groups) => delete groups.servers?.hosts['server-2']);
    const before = lab.fingerprint();
    const refused = await upgrade(lab, { version: TO });
    expect([refused.exitCode, lab.fingerprint()]).toEqual([2, before]);
    expect(refused.text).toMatch(/agent-1: The order keeps .*server-2: v1\.30\.4\+k3s1\./);
    // The other servers alone may be a minor ahead, and within a minor there is nothing to keep.
    const servers = await upgrade(lab, { version: TO }, { limit: 'servers', check: true });
    expect(servers.exitCode).toBe(0);
    expect((await upgrade(lab, { version: PATCH }, { check: true })).exitCode).toBe(0);
    lab.api.setNode('server-2', { version: 'v1.29.9+k3s1' });
    const apart = await upgrade(lab, { version: TO }, { limit: 'servers' });
    expect(apart.text).toMatch(/server-1: The order keeps .*more than a minor apart/);
  });

  it('drains nothing in another cluster whose nodes have the same names', large, async () => {
    await using lab = await startLab({ agents: 1 });
    await using other = await startLab({ agents: 1 });
    otherInventory(lab, (groups) => {
      for (const { hosts } of Object.values(groups))
        for (const variables of Object.values(hosts)) variables.kubeconfig = other.kubeconfigFile;
    });
    const before = [lab.fingerprint(), other.fingerprint()];
    const { exitCode, text } = await upgrade(lab, { version: PATCH });
    expect([exitCode, text]).toEqual([2, text]);
    expect(text).toMatch(/The node agent-1 of the cluster runs on another machine than this host\..*KUBECONFIG/);
    expect([lab.fingerprint(), other.fingerprint()]).toEqual(before);
  });

  it('copies the database of a SQLite server while k3s is stopped, with no agents there', large, async () => {
    await using lab = await startLab({ agents: 0, datastore: 'sqlite' });
    const { exitCode, of } = await upgrade(lab, { version: TO });
    expect(exitCode).toBe(0);
    const copy = String(of('Install k3s')[0]?.result?.sqlite_copy);
    expect(readFileSync(join(copy, 'db/state.db'), 'utf8')).toContain('SQLite format 3');
    expect(existsSync(join(copy, 'token'))).toBe(true);
    expect(versions(lab)).toEqual({ 'server-1': TO });
  });

  it('needs no group of agents', large, async () => {
    await using lab = await startLab({ agents: 0 });
    otherInventory(lab, (groups) => delete groups.agents);
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
  });

  it('upgrades agents first within a minor', large, async () => {
    await using lab = await startLab({ agents: 1 });
    const timeline = follow(lab);
    const { exitCode } = await upgrade(lab, { version: PATCH, order: 'agents-first' });
    expect(exitCode).toBe(0);
    expect(timeline.steps).toEqual([...oneByOne(['agent-1'], PATCH), `server-1 runs ${PATCH}`]);
  });

  it('follows a channel, and leaves alone what is at its version', large, async () => {
    await using lab = await startLab({ agents: 1, channels: { stable: PATCH } });
    expect((await upgrade(lab, { channel: 'v1.30' }, { limit: 'servers' })).exitCode).toBe(0);
    expect(versions(lab)).toEqual({ 'server-1': PATCH, 'agent-1': FROM });
    const timeline = follow(lab);
    const { exitCode, text } = await upgrade(lab, {});
    expect(exitCode).toBe(0);
    expect(text).toContain(`server-1: Compare versions — already ${PATCH}`);
    expect(text).toContain('one at a time: agent-1.');
    expect(timeline.steps).toEqual(oneByOne(['agent-1'], PATCH));
  });

  it('knows hosts whose nodes have other names', large, async () => {
    await using lab = await startLab({ agents: 1 });
    otherInventory(lab, (groups) => {
      const { servers, agents } = groups;
      groups.servers = { hosts: { 'control.example.org': { ...servers?.hosts['server-1'], node_name: 'server-1' } } };
      const named = { ...agents?.hosts['agent-1'], node_name: "{{ first (split host.name '.') }}" };
      groups.agents = { hosts: { 'agent-1.example.org': named } };
    });
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
    expect(versions(lab)).toEqual({ 'server-1': TO, 'agent-1': TO });
  });

  it('reaches containers through their Proxmox nodes', large, async () => {
    await using lab = await startLab({ agents: 2, proxmox: { nodes: 2, containers: 'all' } });
    const timeline = follow(lab);
    const { exitCode, text } = await upgrade(lab, { version: TO });
    expect(text).toContain('Done in');
    expect(exitCode).toBe(0);
    expect(timeline.steps).toEqual([`server-1 runs ${TO}`, ...oneByOne(['agent-1', 'agent-2'], TO)]);
  });
});
