import type { EffectEnded } from '../events.ts';
import { TaskFailure } from '../module.ts';
import type { Attempt } from './attempt.ts';
import { fromEvent } from './recorded-value.ts';
import type { RunState } from './run-state.ts';

/** An action that ended well before the run died, and whose task the journal does not know the end of. */
export type RecordedEffect = EffectEnded & { result: Record<string, unknown> };

/** What the action came to: it is not done a second time. */
export function replayedEffect(run: RunState, effect: RecordedEffect): Attempt {
  const result = fromEvent(effect.result, run.readArtefact ?? ((path) => path)) as Record<string, unknown>;
  const message = typeof result.message === 'string' && result.message !== '' ? { message: result.message } : {};
  if (!effect.ok) {
    const error = new TaskFailure(message.message ?? 'failed before the run died');
    return { status: 'failed', changes: [], result, error, message: error.message };
  }
  return { status: 'changed', changes: [], result, ...message };
}
