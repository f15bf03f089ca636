import type { Change } from '../../module.ts';
import type { RunHeader } from '../../run-header.ts';
import { hasDiff, unifiedDiff } from '../diff.ts';
import { named } from '../names.ts';
import { painter } from '../paint.ts';
import type { RunRecord, TaskRecord } from '../record.ts';
import { isCommand, listedCommand } from '../what-ran.ts';
import { grouped, hostNames, sharedText, withoutHost } from './alike.ts';
import { clock, code, fence, plainText } from './markdown.ts';

const MOST_DIFFS = 100;
const MOST_DIFF_LINES = 200;
const PLAIN = painter(false);

export function notesSection({ notes }: RunRecord): string[] {
  if (notes.length === 0) return [];
  const lines = notes.map(
    ({ at, text, by }) => `- ${by === undefined ? '' : `${clock(at)}, ${plainText(by)}: `}${plainText(text)}`,
  );
  return ['## Notes', '', ...lines, ''];
}

export function referencesSection(header: RunHeader): string[] {
  const files = header.files.map(({ path, sha256 }) => `- ${code(path)} (sha256 ${code(sha256.slice(0, 16))}…)`);
  const lines = [
    ...files,
    ...(header.ci?.url ? [`- CI job: ${plainText(header.ci.url)}`] : []),
    `- Journal: ${code('events.jsonl')} of run ${code(header.run)}`,
  ];
  return ['## References', '', ...lines, ''];
}

export function appendixSection(header: RunHeader, record: RunRecord): string[] {
  const history = commandHistory(record);
  const files = filesModified(record);
  if (history.length === 0 && files.length === 0) return [];
  return [
    ...['## Appendix', ''],
    ...(history.length > 0 ? ['### Full Command History', '', ...fence(history), ''] : []),
    ...(files.length > 0
      ? [`### ${header.options.check ? 'Files That Would Be Modified' : 'Configuration Files Modified'}`, '', ...files]
      : []),
  ];
}

/** Every command in the order they began; what was alike on several hosts at once is one line. */
function commandHistory({ tasks }: RunRecord): string[] {
  const lines: TaskRecord[][] = [];
  for (const task of tasks.filter(isCommand)) {
    const last = lines.at(-1);
    if (last && keyOf(last[0]!) === keyOf(task)) last.push(task);
    else lines.push([task]);
  }
  return lines.map((alike) => {
    const [first] = alike;
    const where = alike.map(({ host, delegate }) => `${host}${delegate ? ` on ${delegate}` : ''}`);
    return `${clock(first!.startedAt)}  ${named(where)}: ${sharedText(listedCommand(first!), alike)}`;
  });
}

function keyOf(task: TaskRecord): string {
  return `${task.task.id} ${task.startedAt.slice(0, 19)} ${withoutHost(listedCommand(task), task.host)}`;
}

/** Only what is shown is compared line by line: of a thousand hosts that is a hundred of five thousand. */
function filesModified({ tasks }: RunRecord): string[] {
  const changed = tasks
    .filter(({ status }) => status === 'changed')
    .flatMap(({ host, ended }) =>
      (ended?.changes ?? []).flatMap((change) =>
        change.path !== undefined && hasDiff(change) ? [{ host, path: change.path, change }] : [],
      ),
    );
  const alike = grouped(changed, ({ path, change: { sensitive, before, after } }) =>
    JSON.stringify([path, sensitive, ...(sensitive ? [] : [before, after])]),
  );
  const left = alike.length - MOST_DIFFS;
  const shown = alike
    .slice(0, MOST_DIFFS)
    .flatMap((group) => [
      ...[`${hostNames(group.map(({ host }) => host))}: ${code(group[0]!.path)}`, ''],
      ...[...fence(diffLines(group[0]!.change), 'diff'), ''],
    ]);
  return left > 0 ? [...shown, `… and ${left} more.`, ''] : shown;
}

function diffLines(change: Change): string[] {
  const lines = unifiedDiff(change, PLAIN);
  const left = lines.length - MOST_DIFF_LINES;
  return left > 0 ? [...lines.slice(0, MOST_DIFF_LINES), `… (${left} more lines)`] : lines;
}

/** Words to find the log by. */
export function tagsSection(header: RunHeader, record: RunRecord): string[] {
  const hosts = [...new Set(record.plays.flatMap(({ hosts }) => hosts))];
  const modules = new Set(record.tasks.map(({ task }) => task.module));
  const isCluster = ['drain', 'cordon', 'k8s', 'cluster-report', 'wait-node'].some((name) => modules.has(name));
  const isK3s = ['version-check', 'install-script', 'etcd-snapshot'].some((name) => modules.has(name));
  const tags = [
    'action-log',
    header.playbook.name,
    ...(isK3s ? ['k3s'] : []),
    ...(isK3s || isCluster ? ['kubernetes'] : []),
    ...(record.started?.check ? ['check'] : []),
    ...(record.ended ? [record.ended.outcome] : []),
    ...header.options.tags,
    ...hosts.slice(0, 20),
  ];
  return ['## Tags', '', plainText([...new Set(tags)].join(', ')), ''];
}
