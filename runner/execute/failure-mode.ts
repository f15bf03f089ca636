import type { Play } from '../playbook/model.ts';
import type { RunState } from './run-state.ts';

/** What happens when hosts fail in a play: what the play says, else what the command line says. */
export function onFailure({ settings }: Pick<RunState, 'settings'>, play: Play): NonNullable<Play['onFailure']> {
  return play.onFailure ?? settings.onFailure ?? 'stop';
}
