import { randomInt } from 'node:crypto';
import type { RunEvent } from '../../../runner/events.ts';
import { type DeathPoint, spokenPoint } from '../../support/death-point.ts';
import { random } from '../../support/random.ts';
import type { Observed } from './observed.ts';
import { Scene, type Topology } from './scene.ts';

/** What an undisturbed run leaves, perhaps after it was taken back. */
export interface Whole {
  topology: Topology;
  isTakenBack: boolean;
  observed: Observed;
  events: RunEvent[];
}

/** A change is judged by the same moments as the one before it; who looks for new ones asks for them. */
const SEED = '1';

/** Random numbers from REEVE_KILL_SEED (`random`: a new seed); it is printed, for the same choice again. */
export function seeded(): () => number {
  const { REEVE_KILL_SEED: wanted = SEED } = process.env;
  const seed = wanted === 'random' ? randomInt(2 ** 31) : Number(wanted);
  console.log(`REEVE_KILL_SEED=${seed}`);
  return random(seed);
}

export async function undisturbed(topology: Topology, isTakenBack = false): Promise<Whole> {
  const scene = await Scene.start(topology);
  try {
    const said: string[] = [];
    const { wrong } = await live(scene, [], said);
    const events = scene.journal();
    if (isTakenBack) wrong.push(...(await takeBack(scene, said)));
    if (wrong.length > 0) throw new Error(`the undisturbed run: ${[...wrong, ...said].join('\n')}`);
    return { topology, isTakenBack, observed: await scene.observed(), events };
  } finally {
    await scene.stop();
  }
}

/** Points of one run in so many lives, each in the order of the run: the neighbours of a point are in other lives. */
export function dealt(points: readonly DeathPoint[], lives: number): DeathPoint[][] {
  return Array.from({ length: lives }, (_, life) => points.filter((_, index) => index % lives === life));
}

/**
 * Runs the upgrade once for each list of points, in a new lab: the run dies at the first, the n-th resume at the next, and
 * the last resume lives. Points that a life did not come to, since it was done before, are the first of further lives. Gives
 * what is not as in an undisturbed run, one text a list that is not; empty when all is well.
 */
export async function complaintsOf(whole: Whole, lives: readonly DeathPoint[][]): Promise<string[]> {
  const found: string[] = [];
  for (let waiting = [...lives]; waiting.length > 0; ) {
    const left: DeathPoint[][] = [];
    for (const points of waiting) {
      const { text, unreached } = await complaint(whole, points);
      if (text !== undefined) found.push(text);
      if (unreached.length > 0) left.push(unreached);
    }
    waiting = left;
  }
  return found;
}

async function complaint(whole: Whole, points: DeathPoint[]): Promise<{ text?: string; unreached: DeathPoint[] }> {
  const scene = await Scene.start(whole.topology);
  const said: string[] = [];
  try {
    const { wrong, deaths } = await live(scene, points, said);
    if (whole.isTakenBack) wrong.push(...(await takeBack(scene, said)));
    wrong.push(...(await differences(scene, whole)));
    // Moments that no key names are counted from the start of a process: whoever ended before has come to its last one.
    // A run that did not come to its first point leaves that out, not those behind it.
    const unreached = points.slice(Math.max(1, deaths)).filter(({ key }) => key !== undefined);
    if (wrong.length === 0) return { unreached };
    return { text: [`died ${points.map(spokenPoint).join(', then ')}:`, ...wrong, ...said].join('\n'), unreached };
  } finally {
    await scene.stop();
  }
}

/** What went wrong in a life, and how often it died. */
interface Life {
  wrong: string[];
  deaths: number;
}

/** Runs and resumes until it is done. What the processes printed goes to `said`. */
async function live(scene: Scene, points: readonly DeathPoint[], said: string[]): Promise<Life> {
  for (const [deaths, point] of [...points, undefined].entries()) {
    const { code, stdout, stderr } = await (deaths === 0 ? scene.run(point) : scene.resume(point));
    said.push(`--- process ${deaths + 1}, exit code ${code}\n${stdout}${stderr}`);
    // It did all there was to do before the point, or died after its last event.
    if (code === 0 || (code === 6 && stderr.includes('ended well'))) return { wrong: missed(deaths, points), deaths };
    if (code !== null || point === undefined) return { wrong: [`process ${deaths + 1} ended with ${code}`], deaths };
  }
  return { wrong: [], deaths: points.length };
}

async function takeBack(scene: Scene, said: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await scene.rollback();
  said.push(`--- rollback, exit code ${code}\n${stdout}${stderr}`);
  return code === 0 ? [] : [`rollback ended with ${code}`];
}

/** A boundary of an effect is in every first run; which other events there are depends on moments. */
function missed(deaths: number, points: readonly DeathPoint[]): string[] {
  return deaths === 0 && points[0]?.key?.startsWith('effect-') ? ['the run did not come to that point'] : [];
}

async function differences(scene: Scene, { observed: wanted }: Whole): Promise<string[]> {
  const found = await scene.observed();
  const names = ['objects', 'files', 'effects', 'undo'] as const;
  return [
    ...names.flatMap((name) => minus(wanted[name], found[name]).map((line) => `missing: ${line}`)),
    ...names.flatMap((name) => minus(found[name], wanted[name]).map((line) => `too much: ${line}`)),
    ...scene.vainEvictions(),
    ...gaps(scene.journal()),
  ];
}

/** Lines of one list that the other has not, or not as often. */
function minus(list: readonly string[], other: readonly string[]): string[] {
  const left = [...other];
  return list.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function gaps(events: readonly RunEvent[]): string[] {
  return events
    .flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`event ${index + 1} has the number ${seq}`]))
    .slice(0, 1);
}
