import type { Notice } from '../events.ts';
import type { Painter } from './paint.ts';
import { shownPlace } from './task-lines.ts';

/** Something a person should know, where it stands, and what to do about it. */
export function noticeLines({ level, host, message, place, hint }: Notice, paint: Painter): string[] {
  const text = `${host === undefined ? '' : `${host}: `}${message}`;
  return [
    level === 'info' ? text : paint.warn(`${level}: ${text}`),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    ...(place === undefined ? [] : [paint.dim(`  at ${shownPlace(place)}`)]),
  ];
}
