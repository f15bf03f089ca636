import type { Playbook } from '../playbook/model.ts';
import { stepsOf } from '../validate/playbook/walk.ts';
import { words } from './options.ts';
import { UsageError } from './report-error.ts';

/** What `--tags` and `--skip-tags` take beside the tags of a playbook. */
const SPECIAL = ['all', 'tagged', 'untagged', 'always', 'never'];

/**
 * A tag that no step has is a typo: `--skip-tags` would leave out nothing, and `--tags` do nothing and say «done».
 * @throws UsageError with the nearest tag.
 */
export function refuseUnknownTags(playbook: Playbook, options: Record<string, unknown>): void {
  const known = new Set(playbook.plays.flatMap((play) => [play, ...stepsOf(play)].flatMap(({ tags }) => tags)));
  for (const [option, given] of [
    ['--tags', words(options.tags)],
    ['--skip-tags', words(options.skipTags)],
  ] as const) {
    const word = given.find((tag) => !known.has(tag) && !SPECIAL.includes(tag));
    if (word === undefined) continue;
    const among = [...known].sort();
    const otherwise = among.length > 0 ? `its tags are ${among.join(', ')}` : 'it has no tags';
    throw new UsageError(`${option} ${word}: nothing in the playbook has this tag`, { word, among, otherwise });
  }
}
