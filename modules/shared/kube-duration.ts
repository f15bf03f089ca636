import { TaskFailure } from '../../runner/module.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d)\s*)+$/;

/** JSON Schema members of an argument that is a duration. */
export const DURATION_TYPE = { type: ['string', 'number'] } as const;

/**
 * Milliseconds of a duration: `5m`, `1h30m`, `250ms`; a bare number is seconds.
 * @throws TaskFailure `invalid-duration`
 */
export function milliseconds(value: unknown, argument: string): number {
  const text = String(value).trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  if (typeof value === 'string' && DURATION.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
    return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0));
  }
  throw new TaskFailure(`${argument}: «${text}» is not a duration`, {
    code: 'invalid-duration',
    hint: 'Write seconds, or something like `90s`, `5m`, `1h30m`.',
  });
}

/** What is wrong with the durations among the arguments, before any connection. */
export function checkDurations(args: Record<string, unknown>, names: readonly string[]): string | undefined {
  for (const name of names) {
    if (args[name] === undefined) continue;
    try {
      milliseconds(args[name], name);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

/** `250 ms`, `42 s`, `5 min`, `1 h 30 min`: for messages. */
export function spoken(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60 === 0 ? '' : ` ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min${rest}`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
}
