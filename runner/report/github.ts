import type { Place } from '../errors.ts';
import type { RunHeader } from '../run-header.ts';
import { grouped, hostsOf } from './action-log/alike.ts';
import { statusOf } from './action-log/header.ts';
import { code, fence, plainText, table } from './action-log/markdown.ts';
import { outages, shownOutage } from './cluster-story.ts';
import { controlPlanes, shownSpan } from './control-plane.ts';
import { named } from './names.ts';
import { affectedWorkloads } from './pod-story.ts';
import { durationOf, isFailure, type RunRecord, recapOf, type TaskRecord } from './record.ts';
import { inShort } from './said.ts';
import { shownDuration } from './time.ts';

/** GitHub shows ten annotations of a kind for a step; more only make the log longer. */
const MOST_ANNOTATIONS = 10;
const MOST_HOSTS = 100;

/**
 * The failures and warnings of a run as workflow commands, one a line: `::error file=site.yaml,line=3,title=…::text`
 * (docs.github.com, «Workflow commands for GitHub Actions»).
 */
export function githubAnnotations(_header: RunHeader, record: RunRecord): string {
  const failures = grouped(record.tasks.filter(isFailure), ({ task, ended }) => `${task.id} ${ended?.message ?? ''}`);
  const { ended } = record;
  const lines = [
    ...failures.map((group) => failureLine(group)),
    ...(ended?.message && failures.length === 0
      ? [annotation('error', ended.message, `Run ${ended.outcome}`, ended.place)]
      : []),
    ...(ended ? [] : [annotation('error', 'The run has no end: it goes on, or was cut off', 'Run unfinished')]),
  ];
  const warnings = record.notices
    .filter(({ level }) => level !== 'info')
    .map(({ level, message, place }) => annotation(level === 'error' ? 'error' : 'warning', message, 'reeve', place));
  const all = [...lines.slice(0, MOST_ANNOTATIONS), ...warnings.slice(0, MOST_ANNOTATIONS)];
  return all.map((line) => `${line}\n`).join('');
}

function failureLine(group: readonly TaskRecord[]): string {
  const { ended, task, status } = group[0]!;
  const names = [...new Set(group.map(({ host }) => host))];
  const hosts = names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
  const hint = ended?.error?.hint ? `\nhint: ${ended.error.hint}` : '';
  return annotation(
    'error',
    `${hosts}: ${inShort(ended?.message ?? status)}${hint}`,
    task.name,
    ended?.error?.place ?? task.place,
  );
}

function annotation(level: 'error' | 'warning', message: string, title: string, place?: Place): string {
  const properties = [
    ...(place ? [`file=${property(place.file)}`, `line=${place.line}`, `col=${place.column}`] : []),
    `title=${property(title)}`,
  ];
  return `::${level} ${properties.join(',')}::${data(message)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** The run in short, as Markdown for the summary of a step. */
export function githubSummary(header: RunHeader, record: RunRecord): string {
  const failed = record.tasks.filter(isFailure);
  const lines = [
    ...[`## ${plainText(record.started?.name ?? header.playbook.name)}: ${statusOf(record)}`, ''],
    ...[`Run ${code(header.run)}, ${shownDuration(durationOf(record))}.`, ''],
    ...recap(record),
    ...failureLines(failed),
    ...clusterLines(record),
  ];
  return `${lines.join('\n').trim()}\n`;
}

function recap(record: RunRecord): string[] {
  const hosts = Object.entries(recapOf(record));
  if (hosts.length === 0) return [];
  const shown = hosts.slice(0, MOST_HOSTS).map(([host, recap]) => {
    const bad = recap.failed + recap.unreachable;
    return [plainText(host), String(recap.ok), String(recap.changed), String(bad), String(recap.skipped)];
  });
  const left = hosts.length - MOST_HOSTS;
  return [
    ...table(['Host', 'ok', 'changed', 'failed', 'skipped'], shown),
    ...(left > 0 ? ['', `… and ${left} more.`] : []),
    '',
  ];
}

function failureLines(failed: readonly TaskRecord[]): string[] {
  const groups = grouped(failed, ({ task, ended }) => `${task.id} ${ended?.message ?? ''}`).slice(0, MOST_ANNOTATIONS);
  return groups.flatMap((group) => [
    `**${plainText(group[0]!.task.name)}** on ${hostsOf(group)}`,
    '',
    ...fence([inShort(group[0]!.ended?.message ?? group[0]!.status).slice(0, 2_000)]),
    '',
  ]);
}

function clusterLines(record: RunRecord): string[] {
  const planes = controlPlanes(record).map(({ away }) =>
    away.length === 0 ? 'always' : away.map(shownSpan).join('; '),
  );
  const away = outages(record).map(shownOutage);
  const affected = affectedWorkloads(record);
  const nodes = [...record.nodes].map(([node, state]) => `- Node ${plainText(node)} is left ${plainText(state)}`);
  return [
    ...planes.map((said) =>
      said === 'always' ? '- The control plane always answered' : `- Control plane did not answer: ${plainText(said)}`,
    ),
    ...(away.length > 0 ? [`- Downtime: ${plainText(named(away, 20))}`] : []),
    ...(affected.length > 0 ? [`- Workloads affected: ${affected.length}`] : []),
    ...nodes,
  ];
}
