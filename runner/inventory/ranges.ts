const RANGE = /\[([^\]:]+):([^\]:]+)(?::(\d+))?\]/;

/**
 * Expands ranges in a host name: `web[01:10:2]`, `db-[a:c]`, several in one name. A name without one is itself.
 * @returns the names, or a sentence that says what is wrong with the range.
 */
export function expandRanges(name: string): string[] | { problem: string } {
  const match = RANGE.exec(name);
  if (!match) return [name];
  const [whole, from, to, step] = match as unknown as [string, string, string, string | undefined];
  const items = rangeItems(from, to, Number(step ?? 1));
  if ('problem' in items) return items;
  const head = name.slice(0, match.index);
  const rest = expandRanges(name.slice(match.index + whole.length));
  if ('problem' in rest) return rest;
  return items.values.flatMap((item) => rest.map((tail) => head + item + tail));
}

function rangeItems(from: string, to: string, step: number): { values: string[] } | { problem: string } {
  if (step < 1) return { problem: `the step of the range [${from}:${to}:${step}] must be 1 or more` };
  if (/^\d+$/.test(from) && /^\d+$/.test(to)) return numbers(from, to, step);
  if (/^[a-zA-Z]$/.test(from) && /^[a-zA-Z]$/.test(to)) return letters(from, to, step);
  return { problem: `the range [${from}:${to}] takes two numbers or two letters` };
}

function numbers(from: string, to: string, step: number): { values: string[] } | { problem: string } {
  if (Number(from) > Number(to)) return { problem: `the range [${from}:${to}] runs backwards` };
  // A leading zero fixes the width, as in Ansible.
  const width = from.startsWith('0') ? from.length : 0;
  if (width > 0 && to.length !== from.length)
    return { problem: `the range [${from}:${to}] needs both ends of the same width` };
  const values: string[] = [];
  for (let n = Number(from); n <= Number(to); n += step) values.push(String(n).padStart(width, '0'));
  return { values };
}

function letters(from: string, to: string, step: number): { values: string[] } | { problem: string } {
  if (from > to) return { problem: `the range [${from}:${to}] runs backwards` };
  const values: string[] = [];
  for (let c = from.charCodeAt(0); c <= to.charCodeAt(0); c += step) values.push(String.fromCharCode(c));
  return { values };
}
