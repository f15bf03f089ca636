/** What a person types to do what a module does; each line is one command or a remark. */
export interface ByHand {
  /** `HOST`: on the host whose turn it is. `here`: on any machine with a kubeconfig of the cluster. */
  on: 'HOST' | 'here';
  lines: string[];
}

/** The arguments of a task as they are written, inputs filled in; other templates stand as `<name>`. */
type Args = Record<string, unknown>;

const PODS_NOT_WELL = "kubectl get pods -A | grep -Ev 'Running|Completed'   # none";

const here = (...lines: string[]): ByHand => ({ on: 'here', lines });
const host = (...lines: string[]): ByHand => ({ on: 'HOST', lines });

/**
 * Commands by the name of the module. A module that is not here is shown as it is written: there is no one command for a
 * file with a certain content.
 */
const BY_HAND: Record<string, (args: Args) => ByHand> = {
  command: (args) => host(...commandLines(args)),
  shell: (args) => host(...commandLines(args)),
  service: (args) => host(...serviceLines(args)),
  reboot: () => host('systemctl reboot', 'uptime   # once it is back'),
  http: ({ url, method }) => here(`curl -fsS ${method ? `-X ${method} ` : ''}${quoted(url)}`),
  'cluster-report': () =>
    here('kubectl get nodes -o wide', 'kubectl get pods -A -o wide', 'kubectl get pvc -A', 'kubectl top nodes'),
  'cluster-health': ({ checks }) => {
    const wanted = Array.isArray(checks) ? checks : ['api', 'nodes', 'pods', 'volumes'];
    const lines = {
      api: "kubectl get --raw '/readyz?verbose'",
      nodes: 'kubectl get nodes   # all Ready',
      pods: PODS_NOT_WELL,
      volumes: 'kubectl get pv,pvc -A   # all Bound',
    };
    return here(...Object.entries(lines).flatMap(([name, line]) => (wanted.includes(name) ? [line] : [])));
  },
  cordon: ({ state, only_own: own }) =>
    here(
      state === 'uncordoned'
        ? `kubectl uncordon NODE${own ? '   # unless an operator had cordoned it before' : ''}`
        : 'kubectl cordon NODE',
    ),
  drain: (args) => here(drainLine(args)),
  'install-script': ({ version, script }) =>
    host(
      'systemctl cat k3s k3s-agent 2>/dev/null   # its arguments and variables: give the script the same ones',
      'cp -p "$(command -v k3s)" /var/tmp/k3s.before   # the way back',
      `curl -sfL ${quoted(script ?? 'https://get.k3s.io')} | INSTALL_K3S_VERSION=${quoted(version)} sh -s - <server or agent, and its arguments>`,
      'k3s --version',
    ),
  'version-check': ({ channel_url: url, channel }) =>
    host(
      'k3s --version',
      ...(url && channel ? [`curl -sI ${quoted(`${url}/${channel}`)} | grep -i '^location'   # the newest`] : []),
    ),
  'etcd-snapshot': ({ name }) =>
    host(
      `k3s etcd-snapshot save${name ? ` --name ${quoted(name)}` : ''}`,
      'k3s etcd-snapshot ls   # it is there and not empty',
    ),
  'upgrade-history': () => here('kubectl -n kube-system edit configmap reeve-upgrade-history   # or note it elsewhere'),
  'wait-server': () => host('k3s kubectl get --raw /readyz   # again until it says ok'),
  'wait-node': ({ version, ready }) =>
    here(
      `kubectl get node NODE   # ${ready === false ? 'there is such a node' : `Ready${version ? `, ${version}` : ''}`}`,
    ),
  'wait-pods': () => here(PODS_NOT_WELL),
  'k8s-info': ({ kind, namespace, name }) =>
    here(`kubectl get ${[kind, name].filter((one) => one).join(' ')}${namespace ? ` -n ${namespace}` : ' -A'} -o yaml`),
};

/** The way back by hand. */
const BACK_BY_HAND: Record<string, readonly string[]> = {
  'install-script': [
    '# on HOST, within a minor version only: over one, the datastore may have changed',
    'cp -p /var/tmp/k3s.before "$(command -v k3s)"',
    'systemctl restart k3s   # k3s-agent on an agent',
    'k3s --version; kubectl get node NODE',
  ],
  drain: ['kubectl uncordon NODE   # pods that were moved stay where they are'],
  cordon: ['kubectl uncordon NODE   # or cordon it again, if it was cordoned before'],
  // docs.k3s.io, «etcd-snapshot», restoring with a new cluster of one member.
  'etcd-snapshot': [
    '# the whole datastore; what was written since is lost, and it needs the server token of then',
    'systemctl stop k3s   # on every server',
    'k3s server --cluster-reset --cluster-reset-restore-path=<path of the snapshot>   # on one server',
    'systemctl start k3s   # on that one; on the others after removing their server/db directory',
  ],
};

/** How a person takes back what a module did; undefined where there is no one way. */
export function backByHand(module: string): readonly string[] | undefined {
  return BACK_BY_HAND[module];
}

/** The commands by which a person does what a task does; undefined where there are none. */
export function byHand(module: string, written: unknown, shorthand: string | undefined): ByHand | undefined {
  const given = typeof written === 'string' && shorthand ? { [shorthand]: written } : written;
  const args = given !== null && typeof given === 'object' && !Array.isArray(given) ? (given as Args) : {};
  return BY_HAND[module]?.(args);
}

/** Names of the modules that have commands, for a test. */
export const HANDS: readonly string[] = [...Object.keys(BY_HAND), ...Object.keys(BACK_BY_HAND)];

function commandLines({ cmd, argv, chdir }: Args): string[] {
  const line = Array.isArray(argv) ? argv.map(quoted).join(' ') : String(cmd ?? '');
  return [...(chdir ? [`cd ${quoted(chdir)}`] : []), ...line.trimEnd().split('\n')];
}

function serviceLines({ name, state, enabled }: Args): string[] {
  const verbs: Record<string, string> = { started: 'start', stopped: 'stop', restarted: 'restart', reloaded: 'reload' };
  const verb = verbs[String(state)];
  return [
    ...(enabled === undefined ? [] : [`systemctl ${enabled ? 'enable' : 'disable'} ${quoted(name)}`]),
    ...(verb ? [`systemctl ${verb} ${quoted(name)}`] : []),
    `systemctl status ${quoted(name)}`,
  ];
}

function drainLine(args: Args): string {
  const { grace_period: grace, timeout } = args;
  const flags = [
    '--ignore-daemonsets',
    ...(timeout ? [`--timeout=${timeout}`] : []),
    ...(grace !== undefined && grace !== -1 ? [`--grace-period=${grace}`] : []),
    ...(args.delete_emptydir_data === true ? ['--delete-emptydir-data'] : []),
    ...(args.disable_eviction === true ? ['--disable-eviction'] : []),
    ...(args.force === true ? ['--force'] : []),
  ];
  return `kubectl drain NODE ${flags.join(' ')}`;
}

/** A word for sh; what is not known yet stands in angle brackets and is to be replaced anyway. */
function quoted(value: unknown): string {
  const text = String(value);
  return /^[\w./:=+@%,<>-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
