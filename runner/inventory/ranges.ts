const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** More names than one range may stand for; an inventory with more is a typing mistake. */
const MAX_NAMES = 100_000;

type Names = string[] | { problem: string };

/**
 * Expands ranges in a host name as Ansible does: `web[01:10:2]`, `db-[a:c]`, several in one name; without a start it
 * is 0. A name without a bracket is itself.
 * @returns the names, or a sentence that says what is wrong with the range.
 */
export function expandRanges(name: string): Names {
  const open = name.indexOf('[');
  if (open < 0) return [name];
  const close = name.indexOf(']', open);
  if (close < 0) return { problem: `"${name}" has a [ without a ]` };
  const items = rangeItems(name.slice(open + 1, close));
  if ('problem' in items) return items;
  const rest = expandRanges(name.slice(close + 1));
  if ('problem' in rest) return rest;
  if (items.values.length * rest.length > MAX_NAMES)
    return { problem: `"${name}" stands for more than ${MAX_NAMES} hosts` };
  const head = name.slice(0, open);
  return items.values.flatMap((item) => rest.map((tail) => head + item + tail));
}

type Items = { values: string[] } | { problem: string };

function rangeItems(written: string): Items {
  const bounds = written.split(':');
  if (bounds.length < 2 || bounds.length > 3) {
    return { problem: `the range [${written}] must be [first:last] or [first:last:step]` };
  }
  const [from, to, step = '1'] = [bounds[0] === '' ? '0' : bounds[0]!, bounds[1]!, bounds[2]];
  if (to === '') return { problem: `the range [${written}] has no end` };
  if (!/^\d+$/.test(step) || Number(step) < 1) {
    return { problem: `the step of the range [${written}] must be 1 or more` };
  }
  if (LETTERS.includes(from) && LETTERS.includes(to)) return letters(written, from, to, Number(step));
  if (/^\d+$/.test(from) && /^\d+$/.test(to)) return numbers(written, from, to, Number(step));
  return { problem: `the range [${written}] takes two numbers or two letters` };
}

function numbers(written: string, from: string, to: string, step: number): Items {
  // Ansible takes this for no hosts at all, which nobody means.
  if (Number(from) > Number(to)) return { problem: `the range [${written}] runs backwards` };
  // A leading zero fixes the width.
  const width = from.startsWith('0') && from.length > 1 ? from.length : 0;
  if (width > 0 && to.length !== width) return { problem: `the range [${written}] needs both ends of the same width` };
  if ((Number(to) - Number(from)) / step >= MAX_NAMES)
    return { problem: `the range [${written}] stands for too many hosts` };
  const values: string[] = [];
  for (let n = Number(from); n <= Number(to); n += step) values.push(String(n).padStart(width, '0'));
  return { values };
}

function letters(written: string, from: string, to: string, step: number): Items {
  const first = LETTERS.indexOf(from);
  const last = LETTERS.indexOf(to);
  if (first > last) return { problem: `the range [${written}] runs backwards` };
  const values: string[] = [];
  for (let at = first; at <= last; at += step) values.push(LETTERS[at]!);
  return { values };
}
