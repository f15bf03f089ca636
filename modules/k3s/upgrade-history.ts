import { defineModule, type ReadTarget, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { objectIn } from '../shared/kube-objects.ts';
import {
  HISTORY_NAME,
  HISTORY_NAMESPACE,
  historyRequest,
  issueLines,
  readUpgradeHistory,
  type UpgradeEntry,
} from '../shared/upgrade-history.ts';

/** How often an entry is written anew when somebody else writes at the same time. */
const TRIES = 5;

interface Next {
  ended: boolean;
  from: string;
  to: string;
  issues: string[];
}

export const upgradeHistory = defineModule({
  name: 'upgrade-history',
  description: 'Keeps an entry about this upgrade in the cluster, where the next operator finds it.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['from', 'to'],
    properties: {
      from: { type: 'string', description: 'Version before.' },
      to: { type: 'string', description: 'Version wanted.' },
      state: {
        type: 'string',
        enum: ['started', 'ended'],
        default: 'ended',
        description: 'Whether the upgrade begins or has ended; an entry that never ended tells of a run that failed.',
      },
      issues: {
        type: 'array',
        default: [],
        description: 'What was not well: texts, or `problems` of `cluster-health`.',
      },
    },
  },
  examples: [
    {
      title: 'Before the first node',
      yaml: 'upgrade-history: { from: v1.30.4+k3s1, to: v1.31.5+k3s1, state: started }',
    },
    {
      title: 'After the last',
      yaml: 'upgrade-history: { from: v1.30.4+k3s1, to: v1.31.5+k3s1, issues: [web was slow] }',
    },
  ],
  kind: 'state',
  on: 'cluster',
  returns: {
    type: 'object',
    properties: {
      entry: { type: 'object', description: 'The entry: `run`, `started`, `ended`, `from`, `to`, `issues`.' },
    },
  },
  notes:
    `The ConfigMap \`${HISTORY_NAME}\` in \`${HISTORY_NAMESPACE}\` has one JSON line an upgrade, the newest last; 200 are ` +
    'kept. `reeve history --cluster` shows them.',
  async plan({ from, to, state, issues }, target) {
    const { entries } = await readUpgradeHistory(await target.cluster());
    const entry = entries.find(({ run }) => run === target.runId);
    if (entry && (state === 'started' || entry.ended !== undefined)) {
      return { changes: [], facts: { entry }, message: 'the history has this upgrade' };
    }
    const summary =
      state === 'started' ? `history: upgrade ${from} → ${to} begins` : `history: upgrade ${from} → ${to} has ended`;
    const next: Next = { ended: state === 'ended', from, to, issues: issueLines(issues as unknown[]) };
    return { changes: [{ summary }], facts: { entry: entry ?? {} }, next, undo: { run: target.runId } };
  },
  async apply(next, target) {
    const entry = await written(target, next);
    return { facts: { entry }, undo: { run: target.runId } };
  },
  // That an upgrade was tried and taken back is worth knowing: the entry stays, and says so.
  async undo({ run }: { run: string }, target) {
    const rolledBack = new Date().toISOString();
    await rewrite(target, (entries) =>
      entries.map((entry) => (entry.run === run ? { ...entry, rolled_back: rolledBack } : entry)),
    );
  },
});

async function written(target: WriteTarget, { ended, from, to, issues }: Next): Promise<UpgradeEntry> {
  const now = new Date();
  let entry: UpgradeEntry | undefined;
  await rewrite(target, (entries) => {
    const begun = entries.find(({ run }) => run === target.runId);
    entry = begun ?? { run: target.runId, started: now.toISOString(), from, to, issues };
    if (ended) {
      const seconds = Math.max(0, (now.getTime() - Date.parse(entry.started)) / 1000);
      entry = { ...entry, ended: now.toISOString(), duration_seconds: Math.round(seconds * 10) / 10, issues };
    }
    return [...entries.filter((one) => one !== begun), entry];
  });
  return entry!;
}

/** Reads, changes and writes; again when another run has written in between. */
async function rewrite(target: WriteTarget, change: (entries: UpgradeEntry[]) => UpgradeEntry[]): Promise<void> {
  const cluster = await target.cluster();
  for (let tries = 1; ; tries++) {
    const kept = await readUpgradeHistory(cluster);
    const response = await cluster.write({
      ...historyRequest({ ...kept, entries: change(kept.entries) }),
      idempotent: true,
    });
    if (response.status !== 409) {
      objectIn(response, 'the upgrade history');
      return;
    }
    if (tries === TRIES) throw new TaskFailure('the upgrade history is being written by somebody else all the time');
    await pauseBefore(target, tries);
  }
}

function pauseBefore(target: ReadTarget, tries: number): Promise<void> {
  return target.sleep(50 * tries);
}
