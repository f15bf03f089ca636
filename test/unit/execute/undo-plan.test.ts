import { describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import type { EventBody, RunEvent } from '../../../runner/events.ts';
import { withCurrentIds } from '../../../runner/execute/current-ids.ts';
import { planUndo, refusalOf } from '../../../runner/execute/undo-plan.ts';
import { MASK } from '../../../runner/journal/masker.ts';

const numbered = (bodies: EventBody[]): RunEvent[] =>
  bodies.map(
    (body, index) => ({ v: 1, seq: index + 1, at: '2026-01-01T00:00:00.000Z', run: 'r', ...body }) as RunEvent,
  );
const playbook = { plays: [{ rollback: [] }, { rollback: [{}] }] } as unknown as Parameters<typeof planUndo>[2];
const task = (module: string, host: string, play = 0): EventBody[] => [
  {
    ...{ type: 'task-started', play, batch: 0, host },
    task: { id: `plays[${play}].tasks[0]`, name: `a ${module}`, module, section: 'tasks' },
  },
];
const where = (host: string, play = 0) => ({ host, task: `plays[${play}].tasks[0]` });
const began = (host: string, undo?: unknown, play = 0): EventBody => ({
  ...{ type: 'effect-started', ...where(host, play), changes: [] },
  ...(undo === undefined ? {} : { undo }),
});
const ended = (host: string, undo?: unknown, ok = true, play = 0): EventBody => ({
  ...{ type: 'effect-ended', ...where(host, play), ok },
  ...(undo === undefined ? {} : { undo }),
});
const planOf = (bodies: EventBody[], keep = 0) => planUndo(numbered(bodies), modules, playbook, keep);
const install = (from: string | undefined, to: string) => ({
  version: to,
  startTimeout: 1,
  backup: {
    places: {},
    unit: 'k3s',
    hadEnv: true,
    enabled: true,
    dir: '/var/lib/reeve/k3s',
    kept: false,
    version: from,
  },
});

describe('what can be undone', () => {
  it('has a reason for what cannot', () => {
    const reason = (module: string, ...more: EventBody[]) =>
      planOf([...task(module, 'x'), began('x'), ...more]).steps.map(({ cannot }) => cannot)[0];
    expect(reason('shell', ended('x'))).toContain('what a command has done is not known');
    expect(reason('copy', ended('x'))).toBe('nothing was kept to go back to');
    expect(reason('copy', ended('x', undefined, false))).toContain('it failed');
    expect(reason('copy')).toContain('resume the run first');
    expect(reason('k8s', ended('x', { path: '/', before: { data: { password: MASK } } }))).toContain(
      'its record holds a secret',
    );
  });

  it('is what was there when the run first died in it, not only what the next try found', () => {
    const [first, second] = [
      { node: 'x', found: { cordoned: false } },
      { node: 'x', found: { cordoned: true, by: 'r' } },
    ];
    const { steps } = planOf([
      ...[...task('drain', 'x'), began('x', first)],
      ...[...task('drain', 'x'), began('x', second), ended('x', second)],
    ]);
    expect(steps.map(({ undo }) => undo)).toEqual([second, first]);
    const same = planOf([
      ...[...task('drain', 'x'), began('x', first)],
      ...[...task('drain', 'x'), began('x', first), ended('x', first)],
    ]);
    expect(same.steps.map(({ effect }) => effect)).toEqual([5]);
  });

  it('does not hold what rollback tasks did, nor plays that were rolled back to their end', () => {
    const [tasks] = task('copy', 'x', 1) as [Extract<EventBody, { type: 'task-started' }>];
    const run = [tasks, began('x', {}, 1), ended('x', {}, true, 1)];
    expect(planOf(run)).toMatchObject({ steps: [{ effect: 3 }], tasks: [{ play: 1, hosts: ['x'] }], begun: false });
    const undone: EventBody = { type: 'undo-ended', effect: 3, host: 'x', task: tasks.task, ok: true };
    // Killed before the tasks of its own.
    const begun: EventBody[] = [{ type: 'rollback-started', steps: 1, keeps: 1 }, undone];
    expect(planOf([...run, ...begun])).toMatchObject({ steps: [], tasks: [{ play: 1 }], begun: true });
    const done: EventBody[] = [...begun, { type: 'rollback-ended', ok: true }];
    expect(planOf([...run, ...done])).toEqual({ steps: [], tasks: [], begun: false });
    const own = { ...tasks, task: { ...tasks.task, section: 'rollback' } };
    expect(planOf([own, began('x', {}, 1), ended('x', {}, true, 1)]).steps).toEqual([]);
  });
});

it('finds the task of a change under the id that it has since a resume with another playbook', () => {
  const resumed: EventBody = { type: 'run-resumed', reeve: '1', renamed: { 'plays[0].tasks[0]': 'plays[0].tasks[1]' } };
  const events = withCurrentIds(numbered([...task('copy', 'x'), began('x', {}), ended('x', {}), resumed]));
  expect(planUndo(events, modules, playbook).steps.map((step) => step.task.id)).toEqual(['plays[0].tasks[1]']);
});

describe('what must not be undone', () => {
  it('refuses all of it, each host by name; what was done later goes back alone', () => {
    const bodies = [
      ...['a', 'b'].flatMap((host) => [
        ...[...task('install-script', host), began(host)],
        ended(host, install(host === 'a' ? 'v1.30.4+k3s1' : undefined, 'v1.31.5+k3s1')),
      ]),
      ...[...task('copy', 'a', 1), began('a', {}, 1), ended('a', {}, true, 1)],
    ];
    const refusal = refusalOf(planOf(bodies).steps);
    expect(refusal?.message).toContain(
      'a: a install-script: v1.31.5+k3s1 → v1.30.4+k3s1 goes back over a minor version',
    );
    expect(refusal?.message).toContain('b: a install-script: k3s was newly installed');
    expect(refusal?.hint).toContain('restore the snapshot');
    expect(refusal?.exitCode).toBe(6);
    expect(refusalOf(planOf(bodies, 1).steps)).toBeUndefined();
  });

  it('is not within a minor', () => {
    const { steps } = planOf([
      ...task('install-script', 'a'),
      began('a'),
      ended('a', install('v1.30.4+k3s1', 'v1.30.8+k3s1')),
    ]);
    expect(refusalOf(steps)).toBeUndefined();
    expect(steps[0]?.stays).toEqual([
      'copies of binary and unit of v1.30.4+k3s1, and what else reeve keeps, in /var/lib/reeve',
    ]);
  });
});
