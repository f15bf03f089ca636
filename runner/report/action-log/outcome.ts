import type { RunHeader } from '../../run-header.ts';
import { firstEffect, isCheck } from '../cluster-story.ts';
import { notStarted } from '../names.ts';
import { durationOf, isFailure, type RunRecord, recapOf } from '../record.ts';
import { firstLine } from '../said.ts';
import { shownDuration } from '../time.ts';
import { grouped, hostNames } from './alike.ts';
import { code, plainText, table, tick } from './markdown.ts';
import { metrics, workloadTables } from './metrics.ts';
import { checklist } from './plan.ts';
import { stateAfter } from './state.ts';

const MOST_CHANGES = 100;

/** The state after the run, what was verified and what was changed. */
export function afterSection(record: RunRecord): string[] {
  const first = firstEffect(record);
  const checks =
    first === undefined ? [] : checklist(record.tasks.filter((task) => isCheck(task) && task.startedAt >= first));
  const changes = changesMade(record);
  const lines = [
    ...stateAfter(record),
    ...(checks.length > 0 ? ['### Verification Checks', '', ...checks, ''] : []),
    ...(changes.length > 0 ? ['### Changes Made', '', ...changes, ''] : []),
  ];
  return lines.length === 0 ? [] : ['## Post-Operation State', '', ...lines];
}

function changesMade(record: RunRecord): string[] {
  if (record.started?.check) return [];
  const all = record.tasks.flatMap(({ ended, host, status, task }) =>
    status === 'changed' && task.section !== 'rollback'
      ? (ended?.changes ?? []).map(({ summary }) => ({ summary, host }))
      : [],
  );
  const lines = grouped(all, ({ summary }) => summary).map(
    (group, index) => `${index + 1}. ${changeLine(group[0]!.summary, [...new Set(group.map(({ host }) => host))])}`,
  );
  const left = lines.length - MOST_CHANGES;
  return left > 0 ? [...lines.slice(0, MOST_CHANGES), '', `… and ${left} more.`] : lines;
}

/** What concerns a node says its name itself. */
function changeLine(summary: string, hosts: readonly string[]): string {
  const names = hosts.length === 1 && summary.startsWith(`${hosts[0]}: `) ? '' : `${hostNames(hosts)}: `;
  return names + plainText(summary);
}

export function outcomeSection(record: RunRecord): string[] {
  const { ended } = record;
  const criteria = [
    tick(ended?.outcome === 'done', 'Every task that was wanted was done'),
    tick(ended !== undefined && record.tasks.every((task) => !isFailure(task)), 'No host failed'),
    tick(ended !== undefined && record.nodes.size === 0, 'Every node is as it should be'),
  ];
  return [
    ...['## Outcome Summary', '', `**Overall Status**: ${overall(record)}  `],
    ...[`**Duration**: ${shownDuration(durationOf(record))}`, '', '**Success Criteria Met**:', '', ...criteria, ''],
    ...['**Hosts**:', '', ...recapTable(record), '', '**Metrics**:', '', ...metrics(record), ''],
    ...workloadTables(record),
  ];
}

function overall(record: RunRecord): string {
  const { ended, tasks, rollbacks } = record;
  if (rollbacks.at(-1)?.ok) return 'Rolled back: what could be taken back was';
  if (!ended) return 'Open: the run has no end yet';
  if (ended.outcome === 'done') return record.started?.check ? 'Success (check: nothing was written)' : 'Success';
  const changed = tasks.some(({ effects }) => effects.some(({ ok }) => ok === true));
  const why = ended.message ? `: ${plainText(ended.message.split('\n', 1)[0]!)}` : '';
  return `${changed ? 'Partial Success' : 'Failed'} (${ended.outcome}, exit code ${ended.exitCode})${why}`;
}

function recapTable(record: RunRecord): string[] {
  const rows = Object.entries(recapOf(record)).map(([host, recap]) => [
    plainText(host),
    ...Object.values(recap).map(String),
  ]);
  const head = ['Host', 'ok', 'changed', 'unknown', 'skipped', 'failed', 'unreachable', 'rescued', 'ignored'];
  return table(head, rows);
}

/** What a person has to do now. */
export function followUps(header: RunHeader, record: RunRecord): string[] {
  const { ended, pendingHandlers, nodes, plays } = record;
  const failed = [...new Set(record.tasks.filter(isFailure).map(({ host }) => host))];
  const open = ended?.outcome !== 'done';
  const skipped = plays.reduce((sum, play) => sum + play.skippedBatches, 0);
  const lines = [
    ...[...nodes].map(([node, state]) => `Node ${plainText(node)} is left ${plainText(state)}: look at it`),
    ...(failed.length > 0 ? [`Mend what failed on ${hostNames(failed)}`] : []),
    ...[...pendingHandlers].map(
      ([host, handlers]) => `${plainText(host)}: handlers that did not run: ${plainText(handlers.join(', '))}`,
    ),
    ...(skipped > 0 ? [notStarted(skipped).replace(/^o/, 'O')] : []),
    ...(open && !header.options.check ? wayOn(header, record) : []),
    ...(ended?.hint ? [plainText(ended.hint)] : []),
  ];
  return lines.length === 0 ? [] : ['## Follow-Up Actions', '', ...lines.map((line) => tick(false, line)), ''];
}

function wayOn({ run }: RunHeader, { rollbacks }: RunRecord): string[] {
  const rollback = rollbacks.at(-1);
  const [resume, back] = [code(`reeve resume ${run}`), code(`reeve rollback ${run}`)];
  if (!rollback) return [`Go on with ${resume}, or take it back with ${back}`];
  if (rollback.ok) return [];
  const why = rollback.message ? ` (${plainText(firstLine(rollback.message))})` : '';
  return [`The rollback did not get to its end${why}: go on with it by ${back}, or go on with the run by ${resume}`];
}
