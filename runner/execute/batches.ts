import { EXIT, ReeveError } from '../errors.ts';
import type { BatchSize, Play } from '../playbook/model.ts';

/** The hosts of a play in the order it asks for. `shuffle` is the only one that differs between runs. */
export function orderHosts(hosts: readonly string[], order: Play['order']): string[] {
  switch (order) {
    case 'inventory':
      return [...hosts];
    case 'reverse_inventory':
      return [...hosts].reverse();
    case 'sorted':
      return [...hosts].sort();
    case 'reverse_sorted':
      return [...hosts].sort().reverse();
    case 'shuffle':
      return shuffled(hosts);
  }
}

function shuffled(hosts: readonly string[]): string[] {
  const result = [...hosts];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/**
 * Cuts hosts into batches as `serial` says: counts, percents of all hosts (at least one host each), a list of them
 * whose last one repeats. Without serial all hosts are one batch.
 *
 * @param begun batches that a run that goes on has begun. With serial they come first, less the hosts that do not take
 * part any more: what is half done is finished before anything else is begun, whoever takes part by now. They can be empty.
 * @throws ReeveError `invalid-serial` for a size that is no positive count or percent.
 */
export function cutBatches(
  hosts: readonly string[],
  serial: unknown,
  begun: readonly (readonly string[])[] = [],
): string[][] {
  if (hosts.length === 0) return [];
  if (serial === undefined) return [[...hosts]];
  const total = new Set([...hosts, ...begun.flat()]).size;
  const written = Array.isArray(serial) ? serial : [serial];
  // All at once is the last thing that somebody wants who asks for batches.
  if (written.length === 0) throw invalidSerial('an empty list');
  const sizes = written.map((one) => size(one, total));
  const sizeOf = (number: number) => sizes[Math.min(number, sizes.length - 1)]!;
  // Whoever has made serial smaller since wants that.
  const kept = begun.every((batch, number) => batch.length <= sizeOf(number)) ? begun : [];
  const batches = kept.map((batch) => batch.filter((name) => hosts.includes(name)));
  const rest = hosts.filter((name) => !kept.some((batch) => batch.includes(name)));
  for (let at = 0; at < rest.length; ) {
    const count = sizeOf(batches.length);
    batches.push(rest.slice(at, at + count));
    at += count;
  }
  return batches;
}

function size(written: BatchSize | unknown, total: number): number {
  const text = String(written).trim();
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = Number(match?.[1]);
  if (!match || value <= 0 || (!match[2] && !Number.isInteger(value))) {
    throw invalidSerial(text === '' ? 'empty' : text);
  }
  return match[2] ? Math.max(1, Math.floor((total * value) / 100)) : value;
}

function invalidSerial(what: string): ReeveError {
  const message = `serial is ${what}; it takes a count such as 1, a percent such as 25%, or a list`;
  return new ReeveError('invalid-serial', message, { exitCode: EXIT.invalid });
}
