/**
 * What each example needs to exist before it can run, by `MODULE: TITLE`. An example that is not here runs in an empty
 * world: a new module whose example needs a file, a unit or an object gets a line here, or its test fails.
 */
import { userInfo } from 'node:os';
import { deployment, node } from '../../../lab/api/fixtures.ts';
import { binary, installScript, startArtifacts } from '../../../lab/hosts/artifact-server.ts';
import { findProgram } from '../../../lab/hosts/shells.ts';
import type { Needs } from './run-example.ts';
import { tarText } from './tar-text.ts';
import { NODE, type World } from './world.ts';

const VERSIONS = ['v1.30.4+k3s1', 'v1.31.4+k3s1', 'v1.31.5+k3s1', 'v1.32.1+k3s1'];
const SYSTEMD = '[Install]\nWantedBy=multi-user.target\n';

/** The place to download k3s from, for as long as the world is there. */
async function artifacts(world: World) {
  const server = await startArtifacts({ versions: VERSIONS });
  world.onEnd(() => server.stop());
  return server;
}

/** k3s of a version as the install script leaves it, running. */
async function k3s(world: World, version: string, unit: 'k3s' | 'k3s-agent' = 'k3s'): Promise<void> {
  const role = unit === 'k3s' ? 'server' : 'agent';
  world.file('usr/local/bin/k3s', binary(version), '0755');
  world.file('var/lib/rancher/k3s/server/token', 'K10aa::server:bb\n');
  const joins = unit === 'k3s' ? '' : ' --server https://127.0.0.1:6443 --token K10aa::node:bb';
  const start = `ExecStart=${world.at('usr/local/bin/k3s')} ${role}${joins}`;
  world.file(`etc/systemd/system/${unit}.service`, `[Service]\nType=notify\n${start}\n${SYSTEMD}`);
  await world.target.run(`systemctl daemon-reload; systemctl enable ${unit}; systemctl start ${unit}`);
}

/** A machine with files of this content. */
const files = (contents: Record<string, string>) => (world: World) => {
  for (const [path, content] of Object.entries(contents)) world.file(path, content);
  return undefined;
};

const READS = 'it only reads, so it is done while planning';

export const needs: Record<string, Needs> = {
  'fail: Stop with a reason': { fails: /agent-1 is not in maintenance/ },
  'fail: Stop with a reason and a way out': { fails: /The disk is full/ },

  'blockinfile: Names of the nodes': { given: files({ 'etc/hosts': '127.0.0.1 localhost\n' }) },
  'blockinfile: A block that Ansible made, taken over': {
    given: files({
      'etc/sysctl.conf':
        '# BEGIN ANSIBLE MANAGED BLOCK\nvm.swappiness = 60\n# END ANSIBLE MANAGED BLOCK\nkernel.panic = 1\n',
    }),
  },
  'blockinfile: Gone': {
    given: files({
      'etc/hosts': '127.0.0.1 localhost\n# BEGIN MANAGED BY REEVE\n::1 ip6\n# END MANAGED BY REEVE\n',
    }),
  },
  'copy: A text': { given: files({ 'etc/motd': 'Go away\n' }) },
  'copy: A configuration, checked first': {
    given(world) {
      world.file('etc/sudoers.d/other', '');
      world.program('visudo', 'grep -q env_reset "$2"');
      return undefined;
    },
  },
  'copy: What is in a directory': {
    given(world) {
      world.source('manifests/web.yaml', 'kind: Deployment\n');
      world.source('manifests/more/db.yaml', 'kind: StatefulSet\n');
      world.file('var/lib/rancher/k3s/server/manifests/own.yaml', 'kind: Addon\n');
      return undefined;
    },
  },
  'file: Nobody else reads the token': { given: files({ 'etc/rancher/k3s/token': 'secret\n' }) },
  'file: Gone': { given: files({ 'etc/cron.d/old-job': '* * * * * root true\n' }) },
  'get-url: A program, pinned': {
    given: async (world) => {
      world.file('usr/local/bin/other', '');
      return { url: `${await world.serve('')}/tool-1.2` };
    },
  },
  'get-url: A list that changes': {
    given: async (world) => {
      world.file('etc/hosts.blocked', 'yesterday.example\n');
      return { url: `${await world.serve('today.example\n')}/hosts.txt` };
    },
  },
  'lineinfile: A setting': {
    given(world) {
      world.file('etc/ssh/sshd_config', 'Port 22\n#PermitRootLogin yes\n');
      world.program('sshd', 'grep -q "^PermitRootLogin no" "$3"');
      return undefined;
    },
  },
  'lineinfile: Part of a line': { given: files({ 'etc/default/grub': 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n' }) },
  'lineinfile: No swap': { given: files({ 'etc/fstab': '/dev/sda1 / ext4 rw 0 1\n/dev/sda2 none swap sw 0 0\n' }) },
  'link: A command under a second name': { given: files({ 'usr/local/bin/k3s': '' }) },
  'link: In the place of a file': {
    given: files({ 'etc/resolv.conf': 'nameserver 127.0.0.1\n', 'run/systemd/resolve/resolv.conf': '' }),
  },
  'replace: Another registry': {
    given: files({
      'etc/rancher/k3s/registries.yaml': 'mirrors:\n  registry.old.example:\n  registry.old.example:5000:\n',
    }),
  },
  'replace: In one section only': {
    given: files({ 'etc/app.ini': '[client]\nport = 1\n[server]\nport = 80\n[log]\nport = 2\n' }),
  },
  'unarchive: A program out of its archive': {
    given(world) {
      world.source('helm-v3.tar.gz', tarText({ 'linux-amd64/helm': 'a program\n' }));
      return undefined;
    },
  },
  'unarchive: Once': {
    given(world) {
      world.source('site.tar.zst', tarText({ 'index.html': 'hello\n' }));
      world.file('srv/other', '');
      return { owner: userInfo().username };
    },
  },
  'template: The configuration of k3s': {
    given(world) {
      world.source('config.yaml.hbs', 'write-kubeconfig-mode: "0600"\n');
      world.file('etc/rancher/k3s/registries.yaml', '');
      return undefined;
    },
  },
  'template: Checked before it takes its place': {
    given(world) {
      world.source('haproxy.cfg.hbs', 'defaults\n  mode http\n');
      world.file('etc/haproxy/haproxy.cfg', 'defaults\n');
      world.program('haproxy', 'grep -q "mode http" "$3"');
      return { owner: userInfo().username };
    },
  },

  'etcd-snapshot: Before an upgrade': { on: 'machine', given: etcdServer },
  'etcd-snapshot: The last five, and a copy elsewhere': {
    on: 'machine',
    given: async (world) => {
      world.file('mnt/backup/other', '');
      return etcdServer(world);
    },
  },
  'install-script: Upgrade a node': {
    on: 'machine',
    guarded: true,
    given: async (world) => {
      const { url, installScriptUrl } = await artifacts(world);
      await world.target.run(installScript(url), { env: { INSTALL_K3S_VERSION: 'v1.31.4+k3s1' } });
      return { script: installScriptUrl };
    },
  },
  'install-script: A new agent, from a mirror': {
    on: 'machine',
    guarded: true,
    noUndo: 'taking a new installation back would delete the data of the node',
    given: async (world) => {
      const { url, githubUrl } = await artifacts(world);
      world.source('files/install.sh', installScript(url));
      return { install_env: { GITHUB_URL: githubUrl, K3S_URL: 'https://127.0.0.1:6443', K3S_TOKEN: 'K10aa::node:bb' } };
    },
  },
  'upgrade-history: Before the first node': { noUndo: 'the history keeps what was tried, and says that it was undone' },
  'upgrade-history: After the last': { noUndo: 'the history keeps what was tried, and says that it was undone' },
  'version-check: One version for all nodes': {
    on: 'machine',
    given: async (world) => {
      await k3s(world, 'v1.30.4+k3s1');
      return undefined;
    },
  },
  'version-check: Follow a channel': { on: 'machine', given: behindChannel },
  'version-check: As far as one step goes': { on: 'machine', given: behindChannel },

  'cordon: Close a node for new pods': { passing: ['was_cordoned'] },
  'cordon: Open it again, unless an operator closed it': {
    passing: ['was_cordoned'],
    given({ api }) {
      api.seed([node(NODE, { unschedulable: true, annotations: { 'reeve.dev/cordoned-by': 'an-earlier-run' } })]);
      return undefined;
    },
  },
  'drain: Drain the host’s own node': {
    guarded: true,
    undoLeaves: 'pods that have left stay where they are now',
    given({ api }) {
      api.seed(deployment('web', { node: NODE }));
      return undefined;
    },
  },
  'drain: Accept the loss of emptyDir data, and wait longer': {
    guarded: true,
    undoLeaves: 'pods that have left stay where they are now',
    given({ api }) {
      api.seed(deployment('cache', { node: NODE, emptyDir: true }));
      return undefined;
    },
  },
  'k8s-info: One Deployment': { given: shop },
  // The object's status follows.
  'k8s: Scale a Deployment': { given: shop, passing: ['resource'] },
  'wait-pods: Those of one application': { given: shop },
  'wait-server: After a restart': { on: 'cluster' },
  'wait-server: With the time it was down already': { on: 'cluster' },

  'http: A health check, from the host itself': {
    // A machine without a client of its own cannot ask, and the module must say so.
    ...(findProgram('curl') || findProgram('wget') ? { idle: READS } : { fails: /neither curl nor wget/ }),
    given: async (world) => ({ url: `${await world.serve('ok\n')}/healthz` }),
  },
  'http: Tell a chat': { given: async (world) => ({ url: `${await world.serve('')}/hooks/1` }) },
  'wait-for: The API server of this host': {
    // Where there is no nc, curl keeps an open port open for as long as it may.
    given: async (world) => ({ port: Number(new URL(await world.serve('')).port), connect_timeout: '1s' }),
  },
  'wait-for: As a client sees it': {
    on: 'cluster',
    given(world) {
      world.source('files/ca.pem', world.api.ca);
      // A k3s server tells strangers that they are none of its users.
      return { url: `${world.api.url}/healthz`, status_code: 401 };
    },
  },
  'wait-for: A line in a log': { given: files({ 'var/log/app.log': 'starting\nready at last\n' }) },

  'command: Read a version while planning': { idle: READS },
  'command: Make a key once': {
    guarded: true,
    given(world) {
      world.file('root/.ssh/known_hosts', '');
      world.program('ssh-keygen', 'while [ $# -gt 1 ]; do [ "$1" != -f ] || echo key >"$2"; shift; done');
      return undefined;
    },
  },
  'reboot: After a kernel update': { on: 'machine' },
  'reboot: Back when k3s runs': {
    on: 'machine',
    given: async (world) => {
      await k3s(world, 'v1.31.5+k3s1');
      return undefined;
    },
  },
  'script: Prepare a disk once': {
    guarded: true,
    given(world) {
      world.source('prepare-disk.sh', 'mkdir -p "${1%/dev/sdb}/srv/$2"\n');
      return undefined;
    },
  },
  'script: A check that changes nothing': {
    idle: READS,
    given(world) {
      world.source('validate-node.py', 'print("fine")\n');
      world.program('python3', '[ "$1" = -u ] && [ -f "$2" ] && echo fine');
      return undefined;
    },
  },
  'service: Running, and after a reboot too': {
    on: 'machine',
    given: async (world) => {
      await k3s(world, 'v1.31.5+k3s1');
      await world.target.run('systemctl disable k3s; systemctl stop k3s');
      return undefined;
    },
  },
  'service: Restart with more patience': {
    on: 'machine',
    given: async (world) => {
      await k3s(world, 'v1.31.5+k3s1', 'k3s-agent');
      return undefined;
    },
  },
  'shell: A pipe that only reads': { idle: READS },
  'shell: With bash, once': {
    guarded: true,
    given(world) {
      world.file('root/.profile', '');
      const bash = findProgram('bash');
      const cmd = `echo oops | gzip > ${world.at('root/dmesg.gz')}`;
      return bash ? { cmd: `set -o pipefail; ${cmd}`, executable: bash } : { cmd, executable: 'sh' };
    },
  },
};

/** The Deployment web in the namespace shop: two pods. */
function shop({ api }: World): undefined {
  api.seed(deployment('web', { namespace: 'shop', nodes: [NODE, 'agent-2'] }));
  return undefined;
}

/** A server whose datastore is the embedded etcd. */
async function etcdServer(world: World): Promise<undefined> {
  world.file('var/lib/rancher/k3s/server/db/etcd/member', '');
  await k3s(world, 'v1.31.5+k3s1');
  return undefined;
}

/** A server that is two minors behind, and the channels. */
async function behindChannel(world: World) {
  await k3s(world, 'v1.30.4+k3s1');
  return { channel_url: (await artifacts(world)).channelUrl };
}
