import { type ClusterState, clusterStates, firstEffect } from '../cluster-story.ts';
import type { RunRecord } from '../record.ts';
import { clock, plainText, table } from './markdown.ts';

/** Pods shown in full; the others are counted. */
const MOST_PODS = 200;

/** The cluster before the run. */
export function stateBefore(record: RunRecord): string[] {
  const state = clusterStates(record)[0];
  const issues = knownIssues(record);
  if (!state && issues.length === 0) return [];
  const lines = ['## Pre-Operation State', '', ...(state ? clusterLines(state, nodesOf(record)) : [])];
  if (issues.length > 0) lines.push('### Known Issues', '', ...issues.map((issue) => `- ${plainText(issue)}`), '');
  return lines;
}

/** The cluster after the run, when it was looked at again. */
export function stateAfter(record: RunRecord): string[] {
  const states = clusterStates(record);
  const state = states.at(-1);
  return states.length < 2 ? [] : clusterLines(state!, nodesOf(record));
}

/** Names that hosts of the run may have as nodes. */
function nodesOf({ plays, tasks }: RunRecord): Set<string> {
  const named = tasks.map(({ ended }) => ended?.result?.node).filter((node) => typeof node === 'string');
  return new Set([...plays.flatMap(({ hosts }) => hosts), ...named]);
}

function clusterLines(state: ClusterState, nodes: Set<string>): string[] {
  const pods = state.pods.filter(({ node }) => nodes.has(node) || node === '');
  const shown = pods.slice(0, MOST_PODS);
  const left = pods.length - shown.length;
  return [
    ...[
      '### Cluster Status',
      '',
      `Taken at ${clock(state.at)} UTC; API server ${plainText(state.server_version)}.`,
      '',
    ],
    ...table(
      ['Node', 'Status', 'Role', 'Version', 'Address'],
      state.nodes.map(({ name, ready, cordoned, server, version, address = '' }) => [
        plainText(name),
        `${ready ? 'Ready' : 'NotReady'}${cordoned ? ', cordoned' : ''}`,
        server ? 'server' : 'agent',
        plainText(version),
        plainText(address),
      ]),
    ),
    '',
    ...resourceLines(state),
    ...['### Pods on the Nodes of this Run', ''],
    ...table(
      ['Node', 'Pod', 'State', 'Restarts'],
      shown.map(({ node, pod, state: is, restarts }) => [
        plainText(node) || '(none)',
        plainText(pod),
        plainText(is),
        String(restarts),
      ]),
    ),
    ...(left > 0 ? ['', `… and ${left} more.`] : []),
    '',
  ];
}

function resourceLines({ nodes }: ClusterState): string[] {
  if (nodes.every(({ cpu, memory }) => cpu === undefined && memory === undefined)) return [];
  const measured = nodes.some(({ cpu_used: used }) => used !== undefined);
  const rows = nodes.map((node) => [
    plainText(node.name),
    shownNumber(node.cpu),
    shownNumber(node.cpu_requested),
    ...(measured ? [shownNumber(node.cpu_used)] : []),
    shownBytes(node.memory),
    shownBytes(node.memory_requested),
    ...(measured ? [shownBytes(node.memory_used)] : []),
  ]);
  const used = (what: string) => (measured ? [`${what} used`] : []);
  const head = ['Node', 'CPU', 'CPU requested', ...used('CPU'), 'Memory', 'Memory requested', ...used('Memory')];
  const note = measured ? [] : ['', 'What is used is not known: this cluster has no metrics-server.'];
  return ['### Resources', '', ...table(head, rows), ...note, ''];
}

function shownNumber(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}

function shownBytes(value: number | undefined): string {
  return value === undefined ? '' : `${(value / 2 ** 30).toFixed(1)} GiB`;
}

/** What was broken, or a warning, before the first change. */
function knownIssues(record: RunRecord): string[] {
  const until = firstEffect(record) ?? record.lastAt;
  const before = record.tasks.filter(({ endedAt = '' }) => endedAt !== '' && endedAt <= until);
  const problems = before.flatMap(({ ended }) => {
    const found = ended?.result?.problems;
    return Array.isArray(found) ? found.map(({ name, reason }) => `${String(name)}: ${String(reason)}`) : [];
  });
  const warnings = before.flatMap(({ ended, host }) => (ended?.warnings ?? []).map((text) => `${host}: ${text}`));
  const notices = record.notices
    .filter(({ level, at }) => level !== 'info' && at <= until)
    .map(({ message }) => message);
  return [...new Set([...problems, ...notices, ...warnings])];
}
