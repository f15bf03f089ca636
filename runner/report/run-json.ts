import type { ItemEnded } from '../events.ts';
import type { RunHeader } from '../run-header.ts';
import { clusterStates, outages, recoveries } from './cluster-story.ts';
import { controlPlanes } from './control-plane.ts';
import { affectedWorkloads, podChanges } from './pod-story.ts';
import { durationOf, type RunRecord, recapOf, type TaskRecord } from './record.ts';

/**
 * The run as one JSON document: the header, how it ended, what each task came to, what became of the cluster. Every
 * single event is in the journal's `events.jsonl`.
 */
export function runJson(header: RunHeader, record: RunRecord): string {
  const states = clusterStates(record);
  const document = {
    version: 1,
    header,
    outcome: record.ended?.outcome ?? 'unfinished',
    exitCode: record.ended?.exitCode ?? null,
    message: record.ended?.message ?? null,
    startedAt: record.started?.at ?? header.startedAt,
    endedAt: record.ended?.at ?? null,
    resumedAt: record.resumedAt,
    rollbacks: record.rollbacks,
    duration: durationOf(record),
    recap: recapOf(record),
    nodes: Object.fromEntries(record.nodes),
    pendingHandlers: Object.fromEntries(record.pendingHandlers),
    plays: record.plays.map(({ play, name, hosts, at, endedAt, failed, skippedBatches, batchRecords }) => ({
      ...{ play, name, hosts, startedAt: at, endedAt: endedAt ?? null, failed, skippedBatches },
      batches: batchRecords.map((batch) => ({
        hosts: batch.hosts,
        startedAt: batch.at,
        endedAt: batch.endedAt ?? null,
      })),
    })),
    tasks: record.tasks.map(taskOf),
    notices: record.notices.map(({ at, level, message, host }) => ({ at, level, message, host })),
    notes: record.notes,
    cluster: { before: states[0] ?? null, after: states.length > 1 ? states.at(-1) : null },
    controlPlanes: controlPlanes(record).map((plane) => ({
      ...plane,
      ...{ since: isoOf(plane.since), until: isoOf(plane.until), away: plane.away.map(spanOf) },
      servers: plane.servers.map(({ asked, spans }) => ({ asked, away: spans.map(spanOf) })),
    })),
    outages: outages(record),
    recoveries: recoveries(record),
    workloadsAffected: affectedWorkloads(record),
    pods: podChanges(record),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function taskOf(record: TaskRecord) {
  const { play, batch, host, delegate, task, startedAt, endedAt, status, overcome, ended, items } = record;
  return {
    ...{ play, batch, host, delegate, id: task.id, name: task.name, module: task.module, place: task.place },
    ...{ startedAt, endedAt: endedAt ?? null, duration: ended?.duration, status, overcome, ignored: ended?.ignored },
    ...{ message: ended?.message, args: ended?.args, changes: ended?.changes ?? [], result: ended?.result },
    ...{ warnings: ended?.warnings, error: ended?.error },
    ...(items.length > 0 ? { items: items.map(itemOf) } : {}),
  };
}

function spanOf<T extends { from: number; until: number }>(span: T) {
  return { ...span, from: isoOf(span.from), until: isoOf(span.until) };
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}

/** The results of items are those of the task. */
function itemOf({ item, status, message, args, changes }: ItemEnded) {
  return { item, status, message, args, changes: changes ?? [] };
}
