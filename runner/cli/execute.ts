import { join } from 'node:path';
import { modules } from '../../modules/index.ts';
import { EXIT } from '../errors.ts';
import type { GivenValues, RunEvent, RunResumed } from '../events.ts';
import type { Replay } from '../execute/replay.ts';
import { runPlaybook } from '../execute/run.ts';
import type { RunSettings } from '../execute/run-state.ts';
import { limitTerms } from '../inventory/limit.ts';
import { type Disk, syncFolder } from '../journal/disk.ts';
import type { RunFolder } from '../journal/folder.ts';
import { Journal } from '../journal/journal.ts';
import type { Masker } from '../journal/masker.ts';
import { readJournal } from '../journal/read.ts';
import { lockRun } from '../journal/run-lock.ts';
import type { Filled } from '../playbook/fill-inputs.ts';
import { assemble, runId } from './assemble.ts';
import type { LoadedRun } from './load-run.ts';
import { LogFile } from './log-file.ts';
import { count, duration, oneOf, text, texts, words } from './options.ts';
import { maskerOf } from './passwords.ts';
import type { ChangedSince } from './past-run.ts';
import { artefactReader, recordRun, runsFolder } from './record.ts';
import { reporter } from './reporter.ts';
import { finishReports } from './run-reports.ts';
import { ShortSecrets } from './short-secrets.ts';
import { watchSignals } from './signals.ts';
import { version } from './version.ts';

export interface Execution extends LoadedRun {
  file: string;
  options: Record<string, unknown>;
  /** The approval of what runs from here on, where the playbook asks for one. */
  approved?: string | undefined;
  /** What the journal is written with. */
  disk?: Disk;
  /** One task that a person gave on the command line. */
  byHand?: boolean;
  /** Set when an earlier run goes on. */
  resumed?: {
    folder: RunFolder;
    settings: RunSettings;
    replay: Replay;
    last: RunEvent | undefined;
    changed: ChangedSince;
    given?: GivenValues;
    unlock: () => void;
  };
}

/** Runs a playbook that has been loaded, with the options of the command line. Returns the exit code. */
export async function execute(execution: Execution): Promise<number> {
  const { file, playbook, inventory, options, resumed } = execution;
  const settings = resumed?.settings ?? {
    ...settingsOf(options, execution.filled),
    ...(execution.byHand ? { byHand: true } : {}),
  };
  const short = new ShortSecrets();
  const masker = maskerOf(execution, () => short.found());
  // Every run needs it: loaded while git answers.
  void import('../connect/connections.ts');
  const folder = resumed?.folder ?? (await newFolder(execution, settings, masker));
  const unlock = resumed?.unlock ?? lockRun(folder.path);
  const journal = new Journal(folder.events, execution.disk, resumed ? undefined : () => syncFolder(folder.path));
  const log = new LogFile(join(folder.path, 'run.log'), options.verbose === true);
  const shown = await reporter(options, settings);
  const parts = await assemble({
    id: folder.id,
    playbook,
    inventory,
    modules,
    settings,
    sinks: [journal, log, shown],
    masker,
    yes: options.yes === true,
    reporter: shown,
    hostKeyChecking: text(options.hostKeyChecking, '--host-key-checking') ?? process.env.REEVE_HOST_KEY_CHECKING,
    keep: (name, content) => journal.keep(() => folder.keep(name, masker.text(content))),
    readArtefact: artefactReader(folder),
    recorded: () => readJournal(folder.events).events,
    ...(resumed ? { replay: resumed.replay, last: resumed.last } : {}),
  });
  short.tellTo((message) => parts.emitter.emit({ type: 'notice', level: 'warning', message }));
  const unwatch = watchSignals(parts.interrupt, (message) => {
    parts.emitter.emit({ type: 'notice', level: 'warning', message });
  });
  try {
    const outcome = await runPlaybook(parts, {
      playbook: file,
      reeve: version(),
      ...(resumed ? { resumed: resumedEvent(resumed, execution.approved) } : {}),
    });
    const detailed =
      settings.check && options.detailedExitcode === true && outcome.exitCode === EXIT.done && outcome.pending;
    return detailed ? EXIT.pending : outcome.exitCode;
  } finally {
    try {
      await parts.emitter.close();
    } finally {
      await parts.connections.close();
      await finishReports(folder, text(options.report, '--report'), log);
      unlock();
      unwatch();
    }
  }
}

function resumedEvent(
  { changed: { accepted, past, outline, renamed }, given }: NonNullable<Execution['resumed']>,
  approved: string | undefined,
): Omit<RunResumed, 'type' | 'reeve'> {
  return {
    acceptedChanges: accepted,
    ...(past.length > 0 ? { past: [...past] } : {}),
    ...(outline ? { outline } : {}),
    ...(renamed ? { renamed } : {}),
    ...(given ? { given } : {}),
    ...(approved === undefined ? {} : { approved }),
  };
}

function newFolder(execution: Execution, settings: RunSettings, masker: Masker): Promise<RunFolder> {
  const runs = runsFolder(text(execution.options.runs, '--runs'));
  return recordRun({ ...execution, id: runId(settings.startedAt), runs, settings, masker });
}

function settingsOf(options: Record<string, unknown>, filled: Filled): RunSettings {
  const locks = texts(options.lock);
  const lockWait = text(options.lockWait, '--lock-wait');
  const onFailure = oneOf(options.onFailure, '--on-failure', ['stop', 'rollback', 'pause']);
  const limits = limitTerms(texts(options.limit));
  return {
    check: options.check === true,
    diff: options.diff === true,
    forks: count(options.forks, '--forks') ?? 50,
    ...(limits.length > 0 ? { limit: limits.join(',') } : {}),
    tags: words(options.tags),
    skipTags: words(options.skipTags),
    inputs: filled.inputs,
    extraVars: filled.extraVars,
    startedAt: new Date(),
    ...(locks.length > 0 ? { locks } : {}),
    ...(lockWait === undefined ? {} : { lockWait: duration(lockWait, '--lock-wait') }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
}
