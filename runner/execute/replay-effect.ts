import { TaskFailure } from '../module.ts';
import type { AttemptParts } from './attempt.ts';
import type { Attempt } from './outcome.ts';
import type { RecordedEffect } from './recorded-effects.ts';
import { restoredValue } from './restored-result.ts';

/** What an action came to that ended before the run died: it is not done a second time. */
export function replayedEffect({ run, task, module, noLog }: AttemptParts, effect: RecordedEffect): Attempt {
  const result = restoredValue({ run, task, module, noLog }, effect.result);
  const message = typeof result.message === 'string' && result.message !== '' ? { message: result.message } : {};
  if (!effect.ok) {
    const error = new TaskFailure(message.message ?? 'failed before the run died');
    return { status: 'failed', changes: [], result, error, message: error.message };
  }
  return { status: 'changed', changes: [], result, ...message };
}
