import { join } from 'node:path';
import { modules } from '../../../modules/index.ts';
import { EXIT, ReeveError } from '../../errors.ts';
import { Replay } from '../../execute/replay.ts';
import { rollBack } from '../../execute/rollback.ts';
import { planUndo, type UndoStep } from '../../execute/undo-plan.ts';
import { findRun } from '../../journal/folder.ts';
import { Journal } from '../../journal/journal.ts';
import { Masker } from '../../journal/masker.ts';
import { nearestName } from '../../language/nearest.ts';
import type { Playbook } from '../../playbook/model.ts';
import { assemble } from '../assemble.ts';
import { LogFile } from '../log-file.ts';
import { text } from '../options.ts';
import { type PastRun, takeUp } from '../past-run.ts';
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
  const steps = planUndo(past.journal.events, modules, keepPlays);
  for (const line of describe(steps)) console.log(line);
  if (!steps.some((step) => step.cannot === undefined)) return EXIT.done;
  if (options.check === true) {
    console.log('Nothing was undone: this is a check.');
    return EXIT.done;
  }
  const yes = await new Person().confirmer(options.yes === true)('Take these changes back?');
  if (!yes) throw new ReeveError('refused', 'not confirmed', { exitCode: EXIT.refused });
  return carryOut(past, steps, keepPlays, options);
}

async function carryOut(
  { folder, header, journal: read, loaded }: PastRun,
  steps: readonly UndoStep[],
  keepPlays: number,
  options: Record<string, unknown>,
): Promise<number> {
  const masker = new Masker();
  loaded.secrets.tellTo((value) => masker.add(value));
  const { diff, forks } = header.options;
  const { inputs, extraVars } = loaded.filled;
  const settings = { check: false, diff, forks, tags: [], skipTags: [], inputs, extraVars, startedAt: new Date() };
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
    return await rollBack(parts, steps, keepPlays);
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
  if (index >= 0) return index + 1;
  const near = nearestName(name, names);
  throw new ReeveError('unknown-play', `--to ${name}: the playbook has no such play`, {
    hint: near ? `did you mean "${near}"?` : `the plays are ${names.join(', ')}`,
    exitCode: EXIT.usage,
  });
}

function describe(steps: readonly UndoStep[]): string[] {
  if (steps.length === 0) return ['There is nothing to take back.'];
  const lines = steps.map((step) => {
    const what = step.changes.map(({ summary }) => summary).join(', ') || step.task.name;
    const place = `${step.host}: ${step.task.name}: ${what}`;
    return step.cannot === undefined ? `  undo    ${place}` : `  CANNOT  ${place} (${step.cannot})`;
  });
  return ['From the last change to the first:', ...lines];
}
