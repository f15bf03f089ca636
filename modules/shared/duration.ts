import { type JsonSchema, TaskFailure } from '../../runner/module.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy;

/** Schema of an argument that is a time: `90`, `"90s"`, `"1h30m"`. */
export function durationSchema<const D extends string | number>(description: string, fallback: D) {
  return {
    anyOf: [{ type: 'number', minimum: 0 }, { type: 'string' }],
    description: `${description} Seconds, or text such as \`90s\`, \`5m\`, \`1h30m\`.`,
    default: fallback,
  } as const satisfies JsonSchema;
}

/**
 * Milliseconds of a duration: a number is seconds, text is a number of seconds or parts with units.
 * Gives undefined for anything else.
 */
export function milliseconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? Math.round(value * 1000) : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  let total = 0;
  let end = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part; part = PART.exec(text)) {
    total += Number(part[1]) * UNITS[part[2]!]!;
    end = PART.lastIndex;
  }
  return text !== '' && end === text.length ? Math.round(total) : undefined;
}

/** Milliseconds of an argument whose template is rendered by now. Throws TaskFailure `bad-duration`. */
export function durationOf(value: unknown, argument: string): number {
  const ms = milliseconds(value);
  if (ms !== undefined) return ms;
  throw new TaskFailure(`\`${argument}\` is no duration: ${JSON.stringify(value)}`, {
    code: 'bad-duration',
    hint: 'use seconds, or text such as 90s, 5m, 1h30m',
  });
}

/** For a module's `check`: the message about the first of these arguments that is no duration. */
export function checkDurations(args: Record<string, unknown>, ...names: string[]): string | undefined {
  for (const name of names) {
    // Text with a template in it is checked once it is rendered.
    if (args[name] === undefined || (typeof args[name] === 'string' && args[name].includes('{{'))) continue;
    if (milliseconds(args[name]) === undefined) return `\`${name}\` is no duration: use seconds, or 90s, 5m, 1h30m`;
  }
  return undefined;
}

/** `1.2 s`, `3 min 20 s`: for messages. */
export function spoken(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  const rest = Math.round(seconds) - minutes * 60;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}
