import { stripVTControlCharacters } from 'node:util';
import type { RunEvent } from '../events.ts';

/** Everything that steers a terminal; tab and line end stay. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;
const CONTROLS = new RegExp(CONTROL, 'g');

/** The text without what would steer the terminal of whoever reads it. */
export function visible(text: string): string {
  return CONTROL.test(text) ? stripVTControlCharacters(text).replaceAll(CONTROLS, '') : text;
}

/**
 * The event as a person may see it: what hosts, files and people have written into it steers no terminal. Pieces of output
 * stay as they are, since a sequence can be cut between two of them: who shows them looks at whole lines.
 */
export function visibleEvent<E extends RunEvent>(event: E): E {
  return event.type === 'task-output' ? event : (visibleValue(event) as E);
}

/** The same object where nothing is to be done, as nearly always. */
function visibleValue(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const items = value.map(visibleValue);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, item] of Object.entries(value)) {
    const [shownKey, shown] = [visible(key), visibleValue(item)];
    if (shown === item && shownKey === key) continue;
    copy ??= { ...value };
    if (shownKey !== key) delete copy[key];
    copy[shownKey] = shown;
  }
  return copy ?? value;
}
