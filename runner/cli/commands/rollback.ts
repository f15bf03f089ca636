import { join } from 'node:path';
import { modules } from '../../../modules/index.ts';
import { EXIT, ReeveError } from '../../errors.ts';
import { withCurrentIds } from '../../execute/current-ids.ts';
import { Replay } from '../../execute/replay.ts';
import { rollBack } from '../../execute/rollback.ts';
import { planUndo, refusalOf, type UndoPlan, type UndoStep } from '../../execute/undo-plan.ts';
import { findRun } from '../../journal/folder.ts';
import { Journal } from '../../journal/journal.ts';
import { nearestName } from '../../language/nearest.ts';
import type { Playbook } from '../../playbook/model.ts';
import { assemble } from '../assemble.ts';
import { LogFile } from '../log-file.ts';
import { duration, text } from '../options.ts';
import { maskerOf } from '../passwords.ts';
import { type PastRun, returnToFolder, takeUp } from '../past-run.ts';
import { Person } from '../person.ts';
import { artefactReader, runsFolder } from '../record.ts';
import { reporter } from '../reporter.ts';
import { finishReports } from '../run-reports.ts';
import { watchSignals } from '../signals.ts';

/** `reeve rollback RUN`: takes the recorded changes back, after saying which can and which cannot. */
export async function rollback(wanted: string, options: Record<string, unknown>): Promise<number> {
  const past = await takeUp(findRun(runsFolder(text(options.runs, '--runs')), wanted), options);
  try {
    return await takeBack(past, options);
  } finally {
    past.unlock();
  }
}

async function takeBack(past: PastRun, options: Record<string, unknown>): Promise<number> {
  const keepPlays = playsToKeep(past.loaded.playbook, text(options.to, '--to'));
  const events = withCurrentIds(past.journal.events);
  const plan = planUndo(events, modules, past.loaded.playbook, keepPlays);
  for (const line of describe(plan, past.loaded.playbook)) console.log(line);
  const refusal = refusalOf(plan.steps);
  if (refusal) {
    throw new ReeveError(refusal.code, `nothing is taken back: ${refusal.message}`, {
      hint: refusal.hint,
      exitCode: refusal.exitCode,
    });
  }
  // What was begun is brought to its end also when nothing is left of it: only then is the run rolled back.
  if (!plan.begun && plan.tasks.length === 0 && !plan.steps.some(goesBack)) {
    console.log('There is nothing to take back.');
    return EXIT.done;
  }
  if (options.check === true) {
    console.log('Nothing was undone: this is a check.');
    return EXIT.done;
  }
  const yes = await new Person().confirmer(options.yes === true)('Take these changes back?');
  if (!yes) throw new ReeveError('refused', 'not confirmed', { exitCode: EXIT.refused });
  return carryOut({ ...past, journal: { ...past.journal, events } }, plan, keepPlays, options);
}

async function carryOut(
  { folder, header, journal: read, loaded }: PastRun,
  plan: UndoPlan,
  keepPlays: number,
  given: Record<string, unknown>,
): Promise<number> {
  const options = returnToFolder(header, given);
  const masker = maskerOf(loaded);
  const { diff, forks, locks } = header.options;
  const lockWait = text(options.lockWait, '--lock-wait');
  const { inputs, extraVars } = loaded.filled;
  const settings = {
    ...{ check: false, diff, forks, tags: [], skipTags: [], inputs, extraVars, startedAt: new Date() },
    ...(locks ? { locks } : {}),
    ...(lockWait === undefined ? {} : { lockWait: duration(lockWait, '--lock-wait') }),
  };
  const log = new LogFile(join(folder.path, 'run.log'), options.verbose === true);
  const shown = await reporter({ ...options, output: options.output ?? 'plain' }, settings);
  const parts = await assemble({
    ...{ id: folder.id, last: read.events.at(-1) },
    ...{ playbook: loaded.playbook, inventory: loaded.inventory, modules, settings, masker },
    sinks: [new Journal(folder.events), log, shown],
    yes: true,
    reporter: shown,
    hostKeyChecking: text(options.hostKeyChecking, '--host-key-checking') ?? process.env.REEVE_HOST_KEY_CHECKING,
    keep: (name, content) => folder.keep(name, masker.text(content)),
    readArtefact: artefactReader(folder),
    recorded: () => read.events,
    // `rollback:` tasks that an earlier try has run.
    replay: new Replay(read.events),
  });
  const unwatch = watchSignals(parts.interrupt, (message) => {
    parts.emitter.emit({ type: 'notice', level: 'warning', message });
  });
  try {
    return await rollBack(parts, plan, keepPlays);
  } finally {
    await parts.emitter.close().finally(() => parts.connections.close());
    await finishReports(folder, text(options.report, '--report'), log);
    unwatch();
  }
}

/** `--to PLAY`: that play and those before it stay as they are. */
function playsToKeep(playbook: Playbook, name: string | undefined): number {
  if (name === undefined) return 0;
  const names = playbook.plays.map((play) => play.name);
  const index = names.indexOf(name);
  if (index >= 0 && index !== names.lastIndexOf(name)) {
    throw new ReeveError('ambiguous-play', `--to ${name}: several plays are called that`, {
      hint: 'take all back without --to, or take back by hand what lies after the one you mean',
      exitCode: EXIT.usage,
    });
  }
  if (index >= 0) return index + 1;
  const near = nearestName(name, names);
  throw new ReeveError('unknown-play', `--to ${name}: the playbook has no such play`, {
    hint: near ? `did you mean "${near}"?` : `the plays are ${names.join(', ')}`,
    exitCode: EXIT.usage,
  });
}

function goesBack({ cannot, refused }: UndoStep): boolean {
  return cannot === undefined && refused === undefined;
}

/** All of it before anything is done: what goes back, what cannot, what must not, what stays, which tasks run. */
function describe({ steps, tasks, begun }: UndoPlan, playbook: Playbook): string[] {
  if (steps.length === 0 && tasks.length === 0)
    return begun ? ['Everything is taken back; only the end is missing.'] : [];
  const plays = [...new Set([...steps, ...tasks].map(({ play }) => play))].sort((a, b) => b - a);
  return [
    'From the last change to the first:',
    ...plays.flatMap((play) => [
      ...steps.filter((step) => step.play === play).flatMap(stepLines),
      ...tasks
        .filter((own) => own.play === play)
        .map((own) => `  run     ${own.hosts.join(', ')}: the rollback tasks of play "${playbook.plays[play]!.name}"`),
    ]),
  ];
}

function stepLines(step: UndoStep): string[] {
  const what = step.changes.map(({ summary }) => summary).join(', ') || step.task.name;
  const place = `${step.host}: ${step.task.name}: ${what}`;
  if (step.cannot !== undefined) return [`  CANNOT  ${place} (${step.cannot})`];
  if (step.refused !== undefined) return [`  REFUSED ${place} (${step.refused})`];
  return [`  undo    ${place}`, ...step.stays.map((sentence) => `    stays   ${step.host}: ${sentence}`)];
}
