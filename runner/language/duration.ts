import { EXIT, type Place, ReeveError } from '../errors.ts';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)/;
const EXAMPLES = 'write a number of seconds or something like `250ms`, `90s`, `5m`, `1h30m`, `2d`';

/**
 * Milliseconds of a duration as people write it: `5m`, `1h30m`, `250ms`, `90s`, `1.5h`; a bare number is seconds.
 * @throws ReeveError `invalid-duration` for everything else, negative and endless ones included.
 */
export function parseDuration(value: unknown, place?: Place): number {
  if (typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()))) {
    const seconds = Number(value);
    if (Number.isFinite(seconds) && seconds >= 0) return Math.round(seconds * 1000);
  } else if (typeof value === 'string') {
    const milliseconds = sumOfParts(value.trim());
    if (milliseconds !== undefined) return milliseconds;
  }
  const shown = typeof value === 'string' || typeof value === 'number' ? `\`${value}\`` : `a ${kindOf(value)}`;
  throw new ReeveError('invalid-duration', `${shown} is not a duration`, {
    hint: EXAMPLES,
    place,
    exitCode: EXIT.invalid,
  });
}

function sumOfParts(text: string): number | undefined {
  let rest = text;
  let total = 0;
  let lastUnit = Number.POSITIVE_INFINITY;
  while (rest !== '') {
    const part = PART.exec(rest);
    if (!part) return undefined;
    const unit = UNIT_MS[part[2]!]!;
    // 5m1h and 5m5m are slips of the pen, not durations
    if (unit >= lastUnit) return undefined;
    lastUnit = unit;
    total += Number(part[1]) * unit;
    rest = rest.slice(part[0].length).trimStart();
  }
  return text === '' || !Number.isFinite(total) ? undefined : Math.round(total);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'missing value';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'mapping' : typeof value;
}

/**
 * A duration for people, in at most two units from the largest on: `1m 12s`, `2h 5m`, `3.4s`, `250ms`. What is below
 * the second unit is rounded.
 */
export function formatDuration(milliseconds: number): string {
  const total = Math.max(0, milliseconds);
  if (total < 999.5) return `${Math.round(total)}ms`;
  if (total < 9_950) return `${Number((total / 1000).toFixed(1))}s`;
  const seconds = Math.round(total / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return twoUnits(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.round(total / 60_000);
  if (minutes < 24 * 60) return twoUnits(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  const hours = Math.round(total / 3_600_000);
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}
