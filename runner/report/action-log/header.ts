import type { RunHeader } from '../../run-header.ts';
import { clusterStates } from '../cluster-story.ts';
import type { RunRecord } from '../record.ts';
import { hostNames } from './alike.ts';
import { clock, code, plainText } from './markdown.ts';

/** Title and the lines below it. */
export function headerSection(header: RunHeader, record: RunRecord): string[] {
  const { started, ended } = record;
  const name = started?.name ?? header.playbook.name;
  const begun = started?.at ?? header.startedAt;
  const lines: [string, string][] = [
    ['Date', begun.slice(0, 10)],
    ['Operator', plainText(`${header.operator.user} on ${header.operator.host}`)],
    ['Operation Type', operationType(header, record)],
    ['Target', hostNames(record.plays.flatMap(({ hosts }) => hosts)) || 'no hosts'],
    ['Status', statusOf(record)],
    ['Run', code(header.run)],
    ['Playbook', playbookLine(header)],
    ['Inventory', header.inventory.map(code).join(', ') || 'none'],
    ['Started', `${begun.slice(0, 10)} ${clock(begun)} UTC`],
  ];
  if (ended) lines.push(['Ended', `${ended.at.slice(0, 10)} ${clock(ended.at)} UTC`]);
  for (const at of record.resumedAt) lines.push(['Resumed', `${at.slice(0, 10)} ${clock(at)} UTC`]);
  if (header.ci)
    lines.push([
      'CI job',
      [header.ci.name, header.ci.url]
        .filter((text) => text)
        .map((text) => plainText(text!))
        .join(', '),
    ]);
  lines.push(['Made with', plainText(`reeve ${header.reeve}, Node ${header.node.replace(/^v/, '')}`)]);
  return [`# Action Log: ${plainText(name)}`, '', ...lines.flatMap(([key, value]) => [`**${key}**: ${value}  `])];
}

function playbookLine({ playbook, git }: RunHeader): string {
  const repository = git
    ? ` at ${code(git.commit.slice(0, 12))} of ${code(git.branch)}${git.dirty ? ', with changes not committed' : ''}`
    : '';
  return code(playbook.file) + repository;
}

/** The words of the template; a playbook that is none of these is a maintenance. */
function operationType(header: RunHeader, record: RunRecord): string {
  const type = upgraded(record) ?? (clusterStates(record).length > 0 ? 'Cluster maintenance' : 'Maintenance');
  return header.options.check ? `${type} (check: nothing was written)` : type;
}

function upgraded({ tasks }: RunRecord): string | undefined {
  const install = tasks.find(({ task, status }) => task.module === 'install-script' && status !== 'skipped');
  const compare = tasks.find(({ task }) => task.module === 'version-check');
  return install || compare ? 'Upgrade' : undefined;
}

export function statusOf({ ended, started, rollbacks }: RunRecord): string {
  const rollback = rollbacks.at(-1);
  if (rollback?.ok) return 'Rolled Back';
  if (rollback) return `Failed (its rollback ${rollback.ok === false ? 'failed' : 'has not ended'})`;
  switch (ended?.outcome) {
    case undefined:
      return started ? 'In Progress (it is running, or was cut off)' : 'Planning';
    case 'done':
      return 'Completed';
    case 'refused':
      return 'Refused';
    case 'interrupted':
      return 'Interrupted';
    case 'unreachable':
      return 'Failed (a host could not be reached)';
    default:
      return 'Failed';
  }
}
