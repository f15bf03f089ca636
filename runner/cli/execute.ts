import { modules } from '../../modules/index.ts';
import { EXIT } from '../errors.ts';
import type { EventSink } from '../events.ts';
import { runPlaybook } from '../execute/run.ts';
import type { RunSettings } from '../execute/run-state.ts';
import type { Inventory } from '../inventory/model.ts';
import { Masker } from '../journal/masker.ts';
import type { Filled } from '../playbook/fill-inputs.ts';
import type { Playbook } from '../playbook/model.ts';
import { assemble } from './assemble.ts';
import { count, text, texts, words } from './options.ts';
import { reporter } from './reporter.ts';
import { watchSignals } from './signals.ts';
import { version } from './version.ts';

export interface Execution {
  file: string;
  playbook: Playbook;
  inventory: Inventory;
  filled: Filled;
  options: Record<string, unknown>;
}

/** Runs a playbook that has been loaded, with the options of the command line. Returns the exit code. */
export async function execute({ file, playbook, inventory, filled, options }: Execution): Promise<number> {
  const settings = settingsOf(options, filled);
  const masker = new Masker();
  masker.add(filled.secrets);
  const shown = await reporter(options, settings);
  const sinks: EventSink[] = [shown];
  const parts = await assemble({
    playbook,
    inventory,
    modules,
    settings,
    sinks,
    masker,
    yes: options.yes === true,
    reporter: shown,
    hostKeyChecking: text(options.hostKeyChecking, '--host-key-checking') ?? process.env.REEVE_HOST_KEY_CHECKING,
  });
  const unwatch = watchSignals(parts.interrupt, (message) => {
    parts.emitter.emit({ type: 'notice', level: 'warning', message });
  });
  try {
    const outcome = await runPlaybook(parts, { playbook: file, reeve: version() });
    const detailed =
      settings.check && options.detailedExitcode === true && outcome.exitCode === EXIT.done && outcome.pending;
    return detailed ? EXIT.pending : outcome.exitCode;
  } finally {
    await parts.emitter.close();
    await parts.connections.close();
    unwatch();
  }
}

function settingsOf(options: Record<string, unknown>, filled: Filled): RunSettings {
  const limits = texts(options.limit);
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
  };
}
