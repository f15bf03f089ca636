import { taskKey } from './effect-key.ts';

/** An id without what says which round, batch or try it is of, and that. */
export function partsOf(id: string): [base: string, rounds: string] {
  const base = id.replace(/[#~@][\d#~@]*$/, '');
  return [base, id.slice(base.length)];
}

/**
 * The blocks around a task, and around a block. `x\nplays[0].tasks[1].block[0]#2` is in `x\nplays[0].tasks[1]`, which may have
 * been looped (`#2`) or have stood in a loop.
 */
export function blocksAround(key: string): string[] {
  const [base, suffix] = partsOf(key);
  const rounds = suffix.split(/(?=[#~@])/);
  const suffixes = ['', ...rounds.map((_, index) => rounds.slice(0, index + 1).join(''))];
  const ends = [...base.matchAll(/\.(?:block|rescue|always|include)\[/g)].map(({ index }) => base.slice(0, index));
  return ends.flatMap((block) => suffixes.map((suffix) => block + suffix));
}

/** A block on a host, in the round that its id names. */
interface BlockOnHost {
  host: string;
  block: string;
}

/** Which part of a block, in the round that its id names, the step with this key is in; undefined when it is in none. */
export function partOfBlock(key: string, of: BlockOnHost): 'block' | 'rescue' | 'always' | undefined {
  const rest = restWithin(key, of) ?? '';
  return /^\.(block|rescue|always)\[/.exec(rest)?.[1] as 'block' | 'rescue' | 'always' | undefined;
}

/** Whether it is a step of the gate of a play after this batch. */
export function isOfGate(key: string, play: number, batch: number): boolean {
  const [base, rounds] = partsOf(key);
  return base.includes(`\nplays[${play}].gate[`) && /^@\d+/.exec(rounds)?.[0] === `@${batch}`;
}

/** What its path has beyond that of the block. */
function restWithin(key: string, { host, block }: BlockOnHost): string | undefined {
  const [outer, outerRounds] = partsOf(taskKey(host, block));
  const [base, rounds] = partsOf(key);
  const isOfRound = rounds.startsWith(outerRounds) && /^(?:[#~@]|$)/.test(rounds.slice(outerRounds.length));
  const rest = base.slice(outer.length);
  return isOfRound && base.startsWith(outer) && /^(?:\.|$)/.test(rest) ? rest : undefined;
}
