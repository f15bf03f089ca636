/** The history of upgrades that a cluster keeps of itself: a ConfigMap with one JSON line an upgrade. */
import { type ClusterReader, type KubeObject, TaskFailure } from '../../runner/module.ts';
import { saidIn } from './kube-objects.ts';

export const HISTORY_NAMESPACE = 'kube-system';
export const HISTORY_NAME = 'reeve-upgrade-history';
const KEY = 'upgrades.jsonl';
/** Upgrades that are kept; a ConfigMap holds at most 1 MiB. */
const MOST = 200;
const MOST_ISSUES = 20;
const MOST_TEXT = 300;

/** One upgrade. An entry without `ended` belongs to a run that goes on, or that did not get to its end. */
export interface UpgradeEntry {
  /** Id of the run that began it. */
  run: string;
  /** UTC, ISO 8601. */
  started: string;
  ended?: string;
  from: string;
  to: string;
  duration_seconds?: number;
  /** When a rollback took it back. */
  rolled_back?: string;
  issues: string[];
}

export interface KeptHistory {
  entries: UpgradeEntry[];
  /** The ConfigMap as it is; undefined when there is none yet. */
  object?: KubeObject;
}

const COLLECTION = `/api/v1/namespaces/${HISTORY_NAMESPACE}/configmaps`;
export const historyPath = `${COLLECTION}/${HISTORY_NAME}`;

/**
 * The upgrades that the cluster remembers, the oldest first; none when it has no history yet. Lines that are no entries
 * are left out.
 */
export async function readUpgradeHistory(cluster: ClusterReader): Promise<KeptHistory> {
  const response = await cluster.read({ method: 'GET', path: historyPath });
  if (response.status === 404) return { entries: [] };
  if (response.status !== 200) throw new TaskFailure(`the upgrade history: ${saidIn(response)}`);
  return { entries: parseEntries(response.body?.data?.[KEY]), object: response.body };
}

function parseEntries(text: unknown): UpgradeEntry[] {
  if (typeof text !== 'string') return [];
  return text.split('\n').flatMap((line) => {
    try {
      const entry = JSON.parse(line);
      return typeof entry?.run === 'string' ? [{ issues: [], ...entry } as UpgradeEntry] : [];
    } catch {
      return [];
    }
  });
}

/**
 * The request that writes these entries. It is refused with 409 when somebody else has written since `object` was read.
 */
export function historyRequest({ entries, object }: KeptHistory) {
  const lines = entries.slice(-MOST).map((entry) => `${JSON.stringify(entry)}\n`);
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: HISTORY_NAME,
      namespace: HISTORY_NAMESPACE,
      ...(object ? { resourceVersion: object.metadata.resourceVersion, labels: object.metadata.labels } : {}),
    },
    data: { ...object?.data, [KEY]: lines.join('') },
  };
  return object
    ? ({ method: 'PUT', path: historyPath, body } as const)
    : ({ method: 'POST', path: COLLECTION, body } as const);
}

/** Issues as short lines: text as it is, problems of `cluster-health` as `name: reason`. */
export function issueLines(issues: readonly unknown[]): string[] {
  const lines = issues.map((issue) => {
    const { name, reason } = (issue ?? {}) as { name?: unknown; reason?: unknown };
    const text = typeof issue === 'string' ? issue : name !== undefined ? `${name}: ${reason}` : JSON.stringify(issue);
    return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT - 1)}…` : text;
  });
  const left = lines.length - MOST_ISSUES;
  return left > 0 ? [...lines.slice(0, MOST_ISSUES), `… and ${left} more`] : lines;
}
