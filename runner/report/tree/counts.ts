import type { TaskStatus } from '../../events.ts';
import type { Painter } from '../paint.ts';

/** How many tasks or hosts ended in which way. */
export type Counts = Partial<Record<TaskStatus | 'ignored', number>>;

const ORDER = ['changed', 'unknown', 'failed', 'unreachable', 'ignored', 'ok', 'skipped'] as const;

/** `2 changed, 5 ok`, the remarkable first. */
export function countsText(counts: Counts, paint: Painter): string {
  const parts = ORDER.filter((status) => counts[status]).map((status) => {
    const text = `${counts[status]} ${status}`;
    return status === 'ok' || status === 'skipped' ? paint.dim(text) : paint.status(status, text);
  });
  return parts.join(paint.dim(', '));
}
