import { CORDONED_BY } from '../../../modules/shared/kube-cordon.ts';
import { ReeveError } from '../../errors.ts';
import { plainScope } from '../../execute/host-scope.ts';
import { hostState, type RunState } from '../../execute/run-state.ts';
import type { ClusterWriter, KubeObject } from '../../module.ts';
import { Findings } from './finding.ts';

/** milliseconds for all that is asked of the API. */
const TIMEOUT = 30_000;

/** What upgrade-k3s.yaml and the Kubernetes modules do, as the API names it. */
const RIGHTS: readonly { verb: string; resource: string; group?: string; subresource?: string }[] = [
  { verb: 'list', resource: 'nodes' },
  { verb: 'patch', resource: 'nodes' },
  { verb: 'list', resource: 'pods' },
  { verb: 'create', resource: 'pods', subresource: 'eviction' },
  { verb: 'list', resource: 'poddisruptionbudgets', group: 'policy' },
  { verb: 'get', resource: 'leases', group: 'coordination.k8s.io' },
  // The lock of a playbook is a Lease.
  { verb: 'create', resource: 'leases', group: 'coordination.k8s.io' },
  { verb: 'update', resource: 'leases', group: 'coordination.k8s.io' },
  { verb: 'delete', resource: 'leases', group: 'coordination.k8s.io' },
];

/** Looks at the cluster by the same ways that a run takes; undefined when nothing says that there is one. */
export async function examineCluster(run: RunState, hosts: readonly string[]): Promise<Findings | undefined> {
  const findings = new Findings('cluster');
  const deadline = Date.now() + TIMEOUT;
  try {
    const scope = plainScope(run, hostState(run, firstHost(run, hosts)));
    const cluster = await run.clusters.writer(run, scope, {
      signal: AbortSignal.any([run.interrupt.signal, AbortSignal.timeout(TIMEOUT)]),
      remaining: () => Math.max(0, deadline - Date.now()),
      progress: () => {},
    });
    const { body } = await cluster.read({ method: 'GET', path: '/version' });
    findings.ok('api', `${cluster.server} answers, ${body.gitVersion}`);
    await checkRights(findings, cluster);
    checkNodes(findings, await cluster.list('/api/v1/nodes'), run);
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error;
    if (error.code === 'no-cluster') return undefined;
    findings.error('api', error.message, error.hint);
  }
  return findings;
}

function firstHost(run: RunState, hosts: readonly string[]): string {
  const servers = run.inventory.groups.has('servers') ? run.inventory.hostsOf('servers') : [];
  return servers[0] ?? hosts[0] ?? 'localhost';
}

async function checkRights(findings: Findings, cluster: ClusterWriter): Promise<void> {
  const answers = await Promise.all(RIGHTS.map(async (right) => ({ right, allowed: await isAllowed(cluster, right) })));
  const refused = answers.filter(({ allowed }) => allowed === false).map(({ right }) => shownRight(right));
  const unclear = answers.filter(({ allowed }) => allowed === undefined);
  if (refused.length > 0) {
    findings.error(
      'rights',
      `these credentials may not: ${refused.join(', ')}`,
      'use an administrator’s kubeconfig, or bind a ClusterRole with these rights',
    );
  } else if (unclear.length > 0) findings.warning('rights', 'the API does not say what these credentials may do');
  else findings.ok('rights', 'nodes, pods, evictions and leases');
}

/** Asks the API itself (SelfSubjectAccessReview: creates nothing); undefined when it does not answer that. */
async function isAllowed(cluster: ClusterWriter, right: (typeof RIGHTS)[number]): Promise<boolean | undefined> {
  const { status, body } = await cluster.write({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    idempotent: true,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: right },
    },
  });
  return status === 201 || status === 200 ? body.status?.allowed === true : undefined;
}

function shownRight({ verb, resource, subresource }: (typeof RIGHTS)[number]): string {
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

function checkNodes(findings: Findings, nodes: readonly KubeObject[], run: RunState): void {
  const versions = new Map<string, string[]>();
  for (const node of nodes) {
    const version = String(node.status?.nodeInfo?.kubeletVersion);
    versions.set(version, [...(versions.get(version) ?? []), node.metadata.name]);
  }
  const shown = [...versions].map(([version, names]) => `${version} (${names.join(', ')})`).join(', ');
  if (versions.size > 1) findings.warning('versions', `nodes differ: ${shown}`, 'reeve run playbooks/upgrade-k3s.yaml');
  else findings.ok('versions', shown || 'no nodes');
  for (const node of nodes) checkCordon(findings, node);
  checkNames(findings, nodes, run);
}

function checkCordon(findings: Findings, node: KubeObject): void {
  if (node.spec?.unschedulable !== true) return;
  const { name } = node.metadata;
  const by: string | undefined = node.metadata.annotations?.[CORDONED_BY];
  if (by === undefined)
    findings.warning('cordon', `node ${name} is cordoned, not by reeve`, `kubectl uncordon ${name}`);
  else findings.error('cordon', `node ${name} was left cordoned by the run ${by}`, `kubectl uncordon ${name}`);
}

/** Hosts that should be nodes under their own name. */
function checkNames(findings: Findings, nodes: readonly KubeObject[], run: RunState): void {
  const known = new Set(nodes.map((node) => node.metadata.name));
  const members = ['servers', 'agents'].flatMap((group) =>
    run.inventory.groups.has(group) ? run.inventory.hostsOf(group) : [],
  );
  const missing = members.filter((name) => !known.has(nodeNameOf(run, name)));
  if (missing.length === 0) return;
  findings.warning(
    'nodes',
    `no node of the cluster is called ${missing.join(', ')}`,
    'set the variable `node_name` of these hosts to the names that `kubectl get nodes` shows',
  );
}

function nodeNameOf(run: RunState, host: string): string {
  const scope = plainScope(run, hostState(run, host));
  return scope.has('node_name') ? String(scope.get('node_name')) : host;
}
