import { code, plainText } from '../../report/action-log/markdown.ts';
import { backByHand } from './by-hand.ts';
import type { PlayEntry } from './plays.ts';
import { changes, nameOf, type RunbookTask } from './steps.ts';

/** What the playbook itself says about failures, and the rule for what is left to a person. */
export function whenSection(plays: readonly PlayEntry[], after: readonly RunbookTask[]): string[] {
  if (!after.some(changes)) return [];
  const serial = plays.filter(({ play }) => play.serial).map(({ play }) => plainText(play.name));
  const going = plays.filter(({ play }) => play.onFailure === 'continue').map(({ play }) => plainText(play.name));
  const lines = [
    'A check above fails and it is not clear within minutes how to mend it: roll back.',
    ...(serial.length > 0
      ? [
          `A host fails in ${serial.join(', ')}: the batches after it are not started. Mend it and go on with \`reeve resume last\`, or roll back.`,
        ]
      : []),
    ...(going.length > 0
      ? [`A failure in ${going.join(', ')} does not stop what follows: look at it afterwards.`]
      : []),
    'The connection or this machine is lost: nothing is lost. `reeve status last` says where it stands, `reeve resume last` goes on.',
    ...(after.some(({ task }) => task.module === 'install-script')
      ? [
          'Some nodes run the new version and work: fix forward. Going back over a minor version needs the snapshot from before, and loses what was written since.',
        ]
      : []),
  ];
  return ['## When to Roll Back', '', ...lines.map((line) => `- ${line}`), ''];
}

/** What goes back, by reeve and by hand. */
export function rollbackSection(after: readonly RunbookTask[]): string[] {
  const changing = after.filter(changes);
  if (changing.length === 0) return [];
  const name = (entry: RunbookTask) => `${plainText(nameOf(entry))} (${code(entry.task.module)})`;
  const undone = [...new Set(changing.filter(({ module }) => module.undo).map(name))].reverse();
  const left = [...new Set(changing.filter(({ module }) => !module.undo).map(name))];
  return [
    ...['## Rollback', '', '```sh', 'reeve rollback last --check', 'reeve rollback last', '```', ''],
    ...(undone.length > 0
      ? ['Taken back, in this order, host by host:', '', ...undone.map((one) => `- ${one}`), '']
      : []),
    ...(left.length > 0 ? ['Not taken back by reeve:', '', ...left.map((one) => `- ${one}`), ''] : []),
    ...backLines([...new Set(changing.map(({ module }) => module.name))].reverse()),
  ];
}

/** What a person types instead, by module, the last change first. */
function backLines(names: readonly string[]): string[] {
  const known = names.flatMap((name) => {
    const lines = backByHand(name);
    return lines ? [...[`${code(name)}:`, ''], ...['```sh', ...lines, '```', '']] : [];
  });
  return known.length === 0 ? [] : ['By hand, host by host, the last one first:', '', ...known];
}
