import { type RunResult, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { formatMode } from './mode.ts';
import { quote, quotePath } from './quote.ts';
import type { Attributes } from './stat.ts';

export interface OwnerChange {
  owner?: string;
  group?: string;
}

/** Mode and numeric owner of a path before a change: what brings it back. */
export interface AttributesUndo extends OwnerChange {
  path: string;
  mode?: string;
}

/** Which of owner and group differ from what is wanted; names and numbers are both understood. */
export function planOwner(present: Attributes | undefined, wanted: OwnerChange): OwnerChange {
  const differs = (want: string | undefined, name: string | undefined, id: number | undefined) =>
    want !== undefined && want !== name && want !== String(id);
  return {
    ...(differs(wanted.owner, present?.owner, present?.uid) && { owner: wanted.owner! }),
    ...(differs(wanted.group, present?.group, present?.gid) && { group: wanted.group! }),
  };
}

export function attributesNow(path: string, present: Attributes): AttributesUndo {
  return { path, mode: formatMode(present.mode), owner: String(present.uid), group: String(present.gid) };
}

/** Shell text that sets what is given; links are followed unless `link` is set. Ends at the first failure. */
export function attributesScript(
  path: string,
  wanted: OwnerChange & { mode?: string },
  options: { link?: boolean } = {},
): string {
  const to = quotePath(path);
  const follow = options.link ? '-h ' : '';
  const commands: string[] = [];
  // The owner first: chown clears set-id bits.
  if (wanted.owner !== undefined || wanted.group !== undefined) {
    const who = `${wanted.owner ?? ''}${wanted.group === undefined ? '' : `:${wanted.group}`}`;
    commands.push(`chown ${follow}${quote(who)} ${to}`);
  }
  // Five digits: with four, GNU chmod leaves the set-id bits of a directory as they are.
  if (wanted.mode !== undefined && !options.link) commands.push(`chmod ${wanted.mode.padStart(5, '0')} ${to}`);
  return commands.join(' && ');
}

/** Shell text that removes directories that were made, the outermost first in the list; one that is gone already is fine. */
export function removeDirectories(made: readonly string[]): string {
  return made
    .toReversed()
    .map((path) => `{ [ ! -d ${quotePath(path)} ] || rmdir ${quotePath(path)}; }`)
    .join(' && ');
}

/** Runs a script of reeve's own. @throws TaskFailure with what it said, when it fails. */
export async function runOrFail(target: WriteTarget, script: string, what: string): Promise<RunResult> {
  const result = await target.run(script);
  if (result.code !== 0) {
    const said = (result.stderr || result.stdout).trim();
    const hint = /ermitted|denied/.test(said) ? { hint: 'set become: true' } : {};
    throw new TaskFailure(`${what}: ${said || `exit code ${result.code}`}`, hint);
  }
  return result;
}
