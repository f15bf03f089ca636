import { clusterStates, outages, recoveries, shownOutage } from '../cluster-story.ts';
import { type ControlPlane, controlPlanes, shownAsking, shownSpan } from '../control-plane.ts';
import { named } from '../names.ts';
import { affectedWorkloads, type PodChange, podChanges } from '../pod-story.ts';
import type { RunRecord } from '../record.ts';
import { shownDuration } from '../time.ts';
import { plainText, table } from './markdown.ts';

const MOST_PODS = 200;

/** How long things were away, and what that did to the workloads. */
export function metrics(record: RunRecord): string[] {
  const affected = affectedWorkloads(record).map(({ workload }) => workload);
  const recovered = recoveries(record);
  return [
    `- **Downtime**: ${downtime(record)}`,
    ...controlPlanes(record).flatMap(controlPlaneLines),
    ...(recovered.length > 0
      ? [`- **Ready again after a restart**: ${plainText(recovered.map(shownOutage).join('; '))}`]
      : []),
    `- **Workloads Affected**: ${affected.length === 0 ? noWorkload(record) : `${affected.length}: ${plainText(named(affected, 20))}`}`,
    ...dataLoss(record).map((text) => `- **Data Loss**: ${text}`),
  ];
}

function downtime(record: RunRecord): string {
  const planes = controlPlanes(record).filter(({ away }) => away.length > 0);
  const parts = [
    ...planes.map(({ duration }) => `control plane ${shownDuration(duration)}`),
    ...outages(record).map(shownOutage),
  ];
  return parts.length === 0 ? 'None measured' : plainText(parts.join('; '));
}

/** The whole control plane; then each server of several, which may be away while another one answers. */
function controlPlaneLines(plane: ControlPlane): string[] {
  const { away, duration, servers } = plane;
  const sum = away.length > 1 ? `${shownDuration(duration)} in ${away.length} gaps: ` : '';
  const gaps = away.length === 0 ? 'it always did' : sum + away.map(shownSpan).join('; ');
  return [
    `- **Control plane did not answer**: ${plainText(`${gaps}; ${shownAsking(plane)}`)}`,
    ...(servers.length < 2
      ? []
      : servers.map(
          ({ asked, spans }) =>
            `  - ${plainText(`${asked}: ${spans.length === 0 ? 'always answered' : spans.map(shownSpan).join('; ')}`)}`,
        )),
  ];
}

function noWorkload(record: RunRecord): string {
  const states = clusterStates(record).length;
  if (states > 1) return 'None';
  return states === 1 ? 'not known: the state after the run was not taken down' : 'None that the run knows of';
}

/** Whether claims of volumes are still there and bound to what they were bound to; what is in them, nobody looked. */
function dataLoss(record: RunRecord): string[] {
  const states = clusterStates(record);
  const [before, after] = [states[0]?.claims, states.length > 1 ? states.at(-1)?.claims : undefined];
  if (!before || !after) return [];
  const is = new Map(after.map((one) => [one.claim, one]));
  const lost = before.filter(({ claim, volume }) => volume !== '' && is.get(claim)?.volume !== volume);
  if (before.length === 0) return ['No: the cluster has no volume claims'];
  if (lost.length === 0) {
    return [
      `No volume claim was lost: ${before.length} before, ${after.length} after, each on its volume (what is in them was not compared)`,
    ];
  }
  const told = lost.map(({ claim, volume }) => {
    const now = is.get(claim);
    return `${claim} was on ${volume}, ${now ? `is on ${now.volume || 'none'}` : 'is gone'}`;
  });
  return [`Yes: ${plainText(told.join('; '))}`];
}

/** Workloads that were affected, then each of their pods. */
export function workloadTables(record: RunRecord): string[] {
  const affected = affectedWorkloads(record);
  if (affected.length === 0) return [];
  const rows = affected.map(({ workload, evicted, before, after, restarts }) => [
    plainText(workload),
    String(evicted),
    plainText(named(before, 10)) || 'not known',
    plainText(named(after, 10)) || 'not known',
    String(restarts),
  ]);
  const pods = podChanges(record);
  const left = pods.length - MOST_PODS;
  return [
    ...[...table(['Workload', 'Pods evicted', 'Nodes before', 'Nodes after', 'Restarts'], rows), ''],
    ...table(['Pod', 'What became of it', 'Was on', 'Is on'], pods.slice(0, MOST_PODS).map(podRow)),
    ...(left > 0 ? ['', `… and ${left} more.`] : []),
    '',
  ];
}

function podRow({ pod, what, before, after, restarts }: PodChange): string[] {
  const how = restarts > 0 && what !== 'restarted' ? `${what}, restarted ${restarts}×` : what;
  return [
    plainText(pod),
    what === 'restarted' ? `restarted ${restarts}×` : how,
    ...[before, after].map((node) => plainText(node) || '–'),
  ];
}
