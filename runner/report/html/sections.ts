import type { RunHeader } from '../../run-header.ts';
import { type ClusterState, clusterStates, outages } from '../cluster-story.ts';
import { controlPlanes, shownAsking, shownSpan } from '../control-plane.ts';
import { named } from '../names.ts';
import { affectedWorkloads, podChanges } from '../pod-story.ts';
import type { RunRecord } from '../record.ts';
import { shownValue } from '../what-ran.ts';
import { escapeHtml } from './escape.ts';

/** Pods shown in full; all are in the JSON report. */
const MOST_PODS = 200;

/** What belongs to the whole run rather than to a task, each part folded away. */
export function sections(header: RunHeader, record: RunRecord): string {
  return [notes(record), disruption(record), cluster(record), inputs(header, record)]
    .filter((part) => part !== '')
    .join('\n');
}

function folded(title: string, body: string, open = false): string {
  return `<details${open ? ' open' : ''}><summary>${escapeHtml(title)}</summary>${body}</details>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], name: string) =>
    row.map((cell) => `<${name}>${escapeHtml(cell)}</${name}>`).join('');
  return `<div class="wide" tabindex="0"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</tbody></table></div>`;
}

function items(texts: readonly string[]): string {
  return `<ul>${texts.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>`;
}

/** What nobody may overlook: it stands above all else. */
export function leftOver({ nodes, pendingHandlers, notices }: RunRecord): string {
  const lines = [
    ...[...nodes].map(([node, state]) => `Node ${node} is left ${state}`),
    ...[...pendingHandlers].map(([host, handlers]) => `${host}: handlers that did not run: ${handlers.join(', ')}`),
    ...notices.filter(({ level }) => level !== 'info').map(({ level, message }) => `${level}: ${message}`),
  ];
  return lines.length === 0 ? '' : folded('Needs attention', items(lines), true);
}

function notes(record: RunRecord): string {
  if (record.notes.length === 0) return '';
  const texts = record.notes.map(({ at, by, text }) =>
    by === undefined ? text : `${at.slice(11, 19)} ${by}: ${text}`,
  );
  return folded('Notes', items(texts), true);
}

function disruption(record: RunRecord): string {
  const planes = controlPlanes(record).map((plane) => {
    const gaps =
      plane.away.length === 0 ? 'always answered' : `did not answer: ${plane.away.map(shownSpan).join('; ')}`;
    return `The control plane ${gaps}; ${shownAsking(plane)}`;
  });
  const servers = controlPlanes(record).flatMap((plane) => (plane.servers.length > 1 ? plane.servers : []));
  const outageRows = [
    ...servers.flatMap(({ asked, spans }) => spans.map((span) => ['', `API server ${asked}`, shownSpan(span)])),
    ...outages(record).map(({ host, what, seconds }) => [host, what, `${Math.round(seconds * 10) / 10} s`]),
  ];
  const workloadRows = affectedWorkloads(record).map(({ workload, evicted, before, after, restarts }) => [
    ...[workload, String(evicted), named(before, 10), named(after, 10), String(restarts)],
  ]);
  const podRows = podChanges(record)
    .slice(0, MOST_PODS)
    .map(({ pod, what, before, after, restarts }) => [
      pod,
      restarts > 0 ? `${what} (${restarts}× restarted)` : what,
      before,
      after,
    ]);
  const body = [
    ...planes.map((text) => `<p>${escapeHtml(text)}.</p>`),
    ...(outageRows.length > 0 ? [table(['Host', 'What was away', 'How long'], outageRows)] : []),
    ...(workloadRows.length > 0
      ? [table(['Workload', 'Pods evicted', 'Nodes before', 'Nodes after', 'Restarts'], workloadRows)]
      : []),
    ...(podRows.length > 0 ? [table(['Pod', 'What became of it', 'Was on', 'Is on'], podRows)] : []),
  ];
  return body.length === 0 ? '' : folded('Downtime and workloads', body.join(''), true);
}

function cluster(record: RunRecord): string {
  const states = clusterStates(record);
  const [before, after] = [states[0], states.length > 1 ? states.at(-1) : undefined];
  if (!before) return '';
  const was = new Map(before.nodes.map((node) => [node.name, node]));
  const is = new Map((after?.nodes ?? []).map((node) => [node.name, node]));
  const names = [...new Set([...was.keys(), ...is.keys()])];
  const pods = (state: ClusterState | undefined, name: string) =>
    state === undefined ? '' : String(state.pods.filter(({ node }) => node === name).length);
  const rows = names.map((name) => [
    name,
    ...[stateOf(was.get(name)), stateOf(is.get(name))],
    ...[was.get(name)?.version ?? '', is.get(name)?.version ?? '', pods(before, name), pods(after, name)],
  ]);
  const head = ['Node', 'Before', 'After', 'Version before', 'after', 'Pods before', 'after'];
  return folded('Cluster before and after', table(head, rows));
}

function stateOf(node: ClusterState['nodes'][number] | undefined): string {
  if (!node) return '';
  return `${node.ready ? 'Ready' : 'NotReady'}${node.cordoned ? ', cordoned' : ''}`;
}

function inputs(header: RunHeader, record: RunRecord): string {
  const values = Object.entries(record.started?.inputs ?? header.inputs).map(([name, value]) => [
    name,
    shownValue(value),
  ]);
  const secret = header.secretInputs.map((name) => [name, '(secret)']);
  return values.length + secret.length === 0 ? '' : folded('Inputs', table(['Input', 'Value'], [...values, ...secret]));
}
