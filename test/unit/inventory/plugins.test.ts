import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostVariables } from '../../../runner/inventory/show.ts';
import { layeredScope } from '../../../runner/language/scope.ts';
import { type LabGuest, startProxmox } from '../../lab/proxmox/api.ts';
import { lab, STILL } from '../lab-api/support.ts';
import { session } from '../secrets/support.ts';
import { faultsOfAsync, folderWith, openAll, placesOf } from './support.ts';

const GUESTS: LabGuest[] = [
  { type: 'lxc', vmid: 101, name: 'k3s-1', node: 'pve1', tags: 'k3s;server' },
  {
    type: 'qemu',
    vmid: 102,
    name: 'db',
    node: 'pve2',
    pool: 'data',
    addresses: ['fe80::1', '192.0.2.12', '2001:db8::12'],
  },
  { type: 'qemu', vmid: 103, name: 'mail', node: 'pve2', config: { ipconfig0: 'ip=192.0.2.13/24,gw=192.0.2.1' } },
  { type: 'qemu', vmid: 104, name: 'plain', node: 'pve1' },
  { type: 'lxc', vmid: 105, name: 'off', node: 'pve1', status: 'stopped' },
  { type: 'qemu', vmid: 900, name: 'golden', node: 'pve1', template: 1 },
  { type: 'lxc', vmid: 106, name: 'twin', node: 'pve1' },
  { type: 'lxc', vmid: 107, name: 'twin', node: 'pve2' },
];

async function proxmox(silence: { isSilent?: boolean; areGuestsSilent?: boolean } = {}) {
  const api = await startProxmox({ nodes: { pve1: '192.0.2.1', pve2: '192.0.2.2' }, guests: GUESTS, ...silence });
  onTestFinished(() => api.stop());
  return api;
}

describe('proxmox', () => {
  it('gives nodes, containers and machines, each with its way in', async () => {
    const api = await proxmox();
    const text = `plugin: proxmox\nurl: ${api.url}\ntoken_id: ${api.tokenId}\nca_file: ca.pem\nnode_vars: { ssh_user: root }\n`;
    const folder = folderWith({ 'pve.yaml': text, 'ca.pem': api.ca });
    const inventory = await openAll(folder, ['pve.yaml'], { environment: { PROXMOX_TOKEN_SECRET: api.secret } });
    expect(inventory.hostsOf('proxmox_nodes')).toEqual(['pve1', 'pve2']);
    expect(hostVariables(inventory, 'pve1')).toMatchObject({ address: '192.0.2.1', ssh_user: 'root' });
    expect(hostVariables(inventory, 'k3s-1')).toMatchObject({ transport: 'pct', pct_node: 'pve1', vmid: 101 });
    expect(hostVariables(inventory, 'db')).toMatchObject({ transport: 'ssh', address: '192.0.2.12' });
    expect(hostVariables(inventory, 'mail')).toMatchObject({ address: '192.0.2.13' });
    expect(hostVariables(inventory, 'plain')).not.toHaveProperty('address');
    expect([...inventory.hosts.keys()]).not.toContain('off');
    expect([...inventory.hosts.keys()]).not.toContain('golden');
    expect(inventory.match('twin-106:twin-107')).toHaveLength(2);
    expect(inventory.match('proxmox_tag_k3s')).toEqual(['k3s-1']);
    expect(inventory.match('proxmox_pool_data:&proxmox_pve2_qemu')).toEqual(['db']);
  });

  it('trusts a certificate by its fingerprint, and no other', async () => {
    const api = await proxmox();
    const text = (fingerprint: string) =>
      `plugin: proxmox\nurl: ${api.url}\nuser: reeve@pve\ntoken_id: lab\ntoken_secret: ${api.secret}\nfingerprint: "${fingerprint}"\n`;
    const good = await openAll(folderWith({ 'pve.yaml': text(api.fingerprint) }), ['pve.yaml']);
    expect(good.hosts.has('db')).toBe(true);
    const asked = api.requests.length;
    const wrong = api.fingerprint.replaceAll(/[0-8]/g, '9');
    const [fault] = await faultsOfAsync(() => openAll(folderWith({ 'pve.yaml': text(wrong) }), ['pve.yaml']));
    expect(fault?.message).toContain('not the expected one');
    expect(api.requests).toHaveLength(asked);
  });

  it('asks nobody it cannot verify, and shows no secret', async () => {
    const api = await proxmox();
    const text = `plugin: proxmox\nurl: ${api.url}\ntoken_id: ${api.tokenId}\ntoken_secret: sesame-open\n`;
    const unverified = await faultsOfAsync(() => openAll(folderWith({ 'pve.yaml': text }), ['pve.yaml']));
    expect(unverified[0]?.hint).toContain('ca_file');
    expect(api.requests).toHaveLength(0);
    const folder = folderWith({ 'pve.yaml': `${text}ca_file: ca.pem\n`, 'ca.pem': api.ca });
    const refused = await faultsOfAsync(() => openAll(folder, ['pve.yaml']));
    expect(refused[0]?.hint).toBe('the token or its secret is wrong');
    expect(JSON.stringify([...unverified, ...refused])).not.toContain('sesame-open');
  });

  it('refuses to leave the certificate alone, at its line', async () => {
    const text = 'plugin: proxmox\nurl: https://127.0.0.1:1\ntoken_id: a\nvalidate_certs: false\n';
    const found = await faultsOfAsync(() => openAll(folderWith({ 'pve.yaml': text }), ['pve.yaml']));
    expect(placesOf(found)).toEqual(['4:17 inventory-plugin']);
  });

  it('gives up at its deadline', async () => {
    const api = await proxmox({ isSilent: true });
    const text = `plugin: proxmox\nurl: ${api.url}\ntoken_id: a\ntoken_secret: b\nca_file: ca.pem\ndeadline: 200ms\n`;
    const [fault] = await faultsOfAsync(() => openAll(folderWith({ 'p.yaml': text, 'ca.pem': api.ca }), ['p.yaml']));
    expect(fault?.message).toContain('did not answer within 0.2 s');
  });

  it('gives up when the machines do not answer, rather than taking them for machines without an address', async () => {
    const api = await proxmox({ areGuestsSilent: true });
    const text = `plugin: proxmox\nurl: ${api.url}\ntoken_id: ${api.tokenId}\ntoken_secret: ${api.secret}\nca_file: ca.pem\ndeadline: 500ms\n`;
    const [fault] = await faultsOfAsync(() => openAll(folderWith({ 'p.yaml': text, 'ca.pem': api.ca }), ['p.yaml']));
    expect(fault?.message).toContain('did not answer within 0.5 s');
  });

  it('takes secrets for its options and for variables, and keeps none of them', async () => {
    const api = await proxmox();
    const text = `plugin: proxmox\nurl: ${api.url}\ntoken_id: ${api.tokenId}\ntoken_secret: !secret env:TOKEN\nca_file: ca.pem\ncache: 1h\nvars: { become_password: !secret env:BECOME }\n`;
    const folder = folderWith({ 'pve.yaml': text, 'ca.pem': api.ca });
    const cacheFolder = join(folder, 'cache');
    const { secrets } = session({ environment: { TOKEN: api.secret, BECOME: 'sesame open' } });
    for (const _time of ['asked', 'kept']) {
      const inventory = await secrets.load(() => openAll(folder, ['pve.yaml'], { cacheFolder, opener: secrets }));
      const { become_password } = inventory.layersOf('k3s-1').at(-1)!.definitions;
      expect(become_password!.compiled.render(layeredScope([]))).toBe('sesame open');
      expect(hostVariables(inventory, 'pve1')).not.toHaveProperty('become_password');
    }
    const [kept] = readdirSync(cacheFolder);
    expect(readFileSync(join(cacheFolder, kept!), 'utf8')).not.toMatch(/sesame|BECOME|secret/);
  });

  it('keeps an answer as long as its file says', async () => {
    const api = await proxmox();
    const text = `plugin: proxmox\nurl: ${api.url}\ntoken_id: ${api.tokenId}\ntoken_secret: ${api.secret}\nca_file: ca.pem\ncache: 1h\n`;
    const folder = folderWith({ 'pve.yaml': text, 'ca.pem': api.ca });
    const cacheFolder = join(folder, 'cache');
    await openAll(folder, ['pve.yaml'], { cacheFolder });
    const asked = api.requests.length;
    const again = await openAll(folder, ['pve.yaml'], { cacheFolder });
    expect(again.hosts.has('db')).toBe(true);
    expect(api.requests).toHaveLength(asked);
    await openAll(folder, ['pve.yaml'], { cacheFolder, refresh: true });
    expect(api.requests.length).toBeGreaterThan(asked);
  });
});

describe('kubernetes', () => {
  it('gives the nodes of a cluster with labels, roles and versions', async () => {
    const { api } = await lab([], STILL);
    api.seed([
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'k3s-1', labels: { 'node-role.kubernetes.io/control-plane': 'true', zone: 'a' } },
      },
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'k3s-2', labels: { zone: 'b' } },
        status: {
          addresses: [{ type: 'InternalIP', address: '192.0.2.22' }],
          nodeInfo: { kubeletVersion: 'v1.31.5+k3s1' },
        },
      },
    ] as never);
    const folder = folderWith({
      'k.yaml': 'plugin: kubernetes\nkubeconfig: kube.yaml\nvars: { ssh_user: root }\n',
      'kube.yaml': api.kubeconfig(),
    });
    const inventory = await openAll(folder, ['k.yaml']);
    expect(inventory.hostsOf('nodes').toSorted()).toEqual(['k3s-1', 'k3s-2']);
    expect(inventory.hostsOf('servers')).toEqual(['k3s-1']);
    expect(inventory.match('role_control_plane')).toEqual(['k3s-1']);
    expect(hostVariables(inventory, 'k3s-2')).toMatchObject({
      address: '192.0.2.22',
      ssh_user: 'root',
      kubernetes: { version: 'v1.31.5+k3s1', labels: { zone: 'b' } },
    });
  });

  it('keeps an answer for the cluster that it is of, whatever KUBECONFIG names later', async () => {
    const [one, two] = [await lab([], STILL), await lab([], STILL)];
    one.api.seed([{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'of-one' } }] as never);
    two.api.seed([{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'of-two' } }] as never);
    const folder = folderWith({
      'k.yaml': 'plugin: kubernetes\ncache: 1h\n',
      one: one.api.kubeconfig(),
      two: two.api.kubeconfig(),
    });
    const nodes = async (name: string) => {
      const options = { cacheFolder: join(folder, 'cache'), environment: { KUBECONFIG: join(folder, name) } };
      return [...(await openAll(folder, ['k.yaml'], options)).hosts.keys()];
    };
    expect([await nodes('one'), await nodes('two'), await nodes('one')]).toEqual([['of-one'], ['of-two'], ['of-one']]);
  });

  it.each([
    ['kubeconfig: nope.yaml', '2:13', 'does not exist'],
    ['kubeconfig: k.yaml', '2:13', 'chooses no context'],
  ])('%s is an error at its place', async (option, at, message) => {
    const found = await faultsOfAsync(() =>
      openAll(folderWith({ 'k.yaml': `plugin: kubernetes\n${option}\n` }), ['k.yaml']),
    );
    expect(placesOf(found)).toEqual([`${at} inventory-plugin`]);
    expect(found[0]?.message).toContain(message);
  });

  it('says which API did not answer', async () => {
    const { api } = await lab([], STILL);
    const folder = folderWith({
      'k.yaml': 'plugin: kubernetes\nkubeconfig: kube.yaml\n',
      'kube.yaml': api.kubeconfig({ server: 'https://127.0.0.1:1' }),
    });
    const [fault] = await faultsOfAsync(() => openAll(folder, ['k.yaml']));
    expect(fault?.message).toContain('https://127.0.0.1:1');
  });
});

describe('constructed', () => {
  const HOSTS = '[web]\nw1 zone=a size=3\nw2 zone=b\n[db]\nd1 zone=a\n';

  it('makes groups and variables with CEL', async () => {
    const text = `plugin: constructed
compose: { label: "host.name + '-' + zone", big: "size > 2" }
groups:
  large: big
  web_a: "'web' in host.groups && zone == 'a'"
keyed_groups:
  - { key: zone, prefix: zone, parent_group: zones }
`;
    const folder = folderWith({ 'inv/1-hosts': HOSTS, 'inv/2.yaml': text });
    const inventory = await openAll(folder, ['inv']);
    expect(inventory.match('large')).toEqual(['w1']);
    expect(inventory.match('web_a')).toEqual(['w1']);
    expect(inventory.match('zone_a').toSorted()).toEqual(['d1', 'w1']);
    expect(inventory.groups.get('zones')?.children.toSorted()).toEqual(['zone_a', 'zone_b']);
    expect(hostVariables(inventory, 'd1')).toMatchObject({ label: 'd1-a' });
    expect(hostVariables(inventory, 'w2')).not.toHaveProperty('big');
    expect(inventory.hostsOf('ungrouped')).toEqual([]);
  });

  it('reports a Jinja condition at its place, and with strict what a host lacks', async () => {
    const jinja = folderWith({ hosts: HOSTS, 'c.yaml': `plugin: constructed\ngroups:\n  x: zone is defined\n` });
    const found = await faultsOfAsync(() => openAll(jinja, ['hosts', 'c.yaml']));
    expect(found[0]?.place).toMatchObject({ line: 3 });
    expect(found[0]?.hint).toContain('CEL');
    const strict = folderWith({
      hosts: HOSTS,
      'c.yaml': `plugin: constructed\nstrict: true\ngroups:\n  x: size > 1\n`,
    });
    expect(placesOf(await faultsOfAsync(() => openAll(strict, ['hosts', 'c.yaml'])))).toContain(
      '4:6 undefined-variable',
    );
  });
});

describe('programs', () => {
  it('are asked for each host without _meta', async () => {
    const script =
      '#!/bin/sh\necho "$@" >> "$(dirname "$0")/asked"\nif [ "$1" = --list ]; then echo \'{"web": ["a", "b"]}\'; else echo "{\\"n\\": \\"$2\\"}"; fi\n';
    const folder = folderWith({ 'inv.sh': script });
    const inventory = await openAll(folder, ['inv.sh']);
    expect(hostVariables(inventory, 'b')).toEqual({ n: 'b' });
    expect(readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n').toSorted()).toEqual([
      '--host a',
      '--host b',
      '--list',
    ]);
  });

  it.each([
    ['an exit code', '#!/bin/sh\necho broken >&2\nexit 3\n', 'exit code 3', 'broken'],
    ['no JSON', '#!/bin/sh\necho hello\n', 'did not print a JSON mapping', 'hello'],
    ['a list', '#!/bin/sh\necho "[]"\n', 'did not print a JSON mapping', 'a list'],
    ['damaged JSON', `#!/bin/sh\necho '{"password": "sesame",}'\n`, 'did not print a JSON mapping', 'in line 1'],
    ['bytes', '#!/bin/sh\nprintf \'{"a": "\\377"}\'\n', 'something else than UTF-8', 'by hand'],
    [
      'children that are no list',
      `#!/bin/sh\necho '{"a": {"children": "b"}}'\n`,
      'the children of a must be a list',
      '',
    ],
    ['odd variables', `#!/bin/sh\necho '{"_meta": {"hostvars": []}}'\n`, '`_meta.hostvars` must be a mapping', ''],
    ['a pipe held open', '#!/bin/sh\nsetsid sleep 20 &\nsleep 60\n', 'did not answer within 0.2 s', 'by hand'],
    ['a deadline', '#!/bin/sh\nsleep 60\n', 'did not answer within 0.2 s', 'by hand'],
  ])('that fail with %s say so', async (_name, script, message, hint) => {
    const [fault] = await faultsOfAsync(() => openAll(folderWith({ 'inv.sh': script }), ['inv.sh'], { deadline: 200 }));
    expect(fault?.message).toContain(message);
    expect(fault?.hint ?? '').toContain(hint);
    expect(fault?.hint ?? '').not.toContain('sesame');
  });

  it('values that look like templates stay as they are', async () => {
    const script = '#!/bin/sh\necho \'{"web": ["a"], "_meta": {"hostvars": {"a": {"x": "{{ y }}"}}}}\'\n';
    const inventory = await openAll(folderWith({ 'inv.sh': script }), ['inv.sh']);
    expect(hostVariables(inventory, 'a')).toEqual({ x: '{{ y }}' });
  });

  it('an unknown plugin is named at its line', async () => {
    const folder = folderWith({ 'x.yaml': '# one\nplugin: proxmoxx\n' });
    const found = await faultsOfAsync(() => openAll(folder, ['x.yaml']));
    expect(placesOf(found)).toEqual(['2:9 unknown-plugin']);
    expect(found[0]?.hint).toBe('did you mean proxmox?');
  });
});
