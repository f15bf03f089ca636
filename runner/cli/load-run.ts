import { dirname } from 'node:path';
import { modules } from '../../modules/index.ts';
import { type Diagnostic, InvalidError } from '../errors.ts';
import type { Inventory } from '../inventory/model.ts';
import type { Document } from '../load/document.ts';
import type { Opener } from '../load/opener.ts';
import { type Filled, fillInputs, type Given } from '../playbook/fill-inputs.ts';
import type { Playbook } from '../playbook/model.ts';
import { parsePlaybook } from '../playbook/parse.ts';
import type { SecretSession } from '../secrets/session.ts';
import { sortDiagnostics } from '../validate/sort.ts';
import { validatePlaybook } from '../validate/validate-playbook.ts';
import { canAsk } from './ask.ts';
import { printDiagnostics } from './diagnostics.ts';
import { ENGINE_VARIABLES } from './engine-variables.ts';
import { readExtraVars } from './extra-vars.ts';
import { openSources } from './open-inventory.ts';
import { inventorySources, texts } from './options.ts';
import { Person } from './person.ts';
import { UsageError } from './report-error.ts';
import { maskingErrors, openSecrets } from './secrets.ts';

/** A playbook that may be run: nothing is wrong with it on this inventory, and every input has a value. */
export interface LoadedRun {
  playbook: Playbook;
  inventory: Inventory;
  filled: Filled;
  /** The playbook's document and those of the files it includes. */
  documents: Document[];
  inventorySources: string[];
  secrets: SecretSession;
}

/**
 * Loads a playbook and its inventory and checks them against each other before anything connects. Warnings are printed.
 * @param read gives the playbook's document; may be called more than once.
 * @param recorded values that an earlier process of the run was given; `-e` is stronger.
 * @throws InvalidError with all mistakes, UsageError for an `-e` that nothing uses.
 */
export async function loadRun(
  read: (opener: Opener) => Document,
  options: Record<string, unknown>,
  directory?: string,
  recorded: (playbook: Playbook) => Given[] = () => [],
): Promise<LoadedRun> {
  if (options.detailedExitcode === true && options.check !== true)
    throw new UsageError('--detailed-exitcode tells what a check found; without --check this would be a real run');
  const secrets = openSecrets(options);
  return maskingErrors(secrets, () => loadWith(secrets, read, options, directory, recorded));
}

async function loadWith(
  secrets: SecretSession,
  read: (opener: Opener) => Document,
  options: Record<string, unknown>,
  directory: string | undefined,
  recorded: (playbook: Playbook) => Given[],
): Promise<LoadedRun> {
  const sources = await inventorySources(options.inventory);
  const loaded = await secrets.load(async () => {
    const document = read(secrets);
    const { playbook, diagnostics, documents } = parsePlaybook(document, modules, secrets);
    if (!playbook) throw new InvalidError(diagnostics);
    const playbookDirectory = directory ?? dirname(document.file);
    const inventory = await openSources(sources, options, { playbookDirectory, opener: secrets });
    const given = [...recorded(playbook), ...readExtraVars(texts(options.extraVars), secrets)];
    return { playbook, diagnostics, documents, inventory, given };
  });
  checkTogether(loaded);
  await secrets.check();
  const filled = await fill(loaded, options);
  secrets.learn(filled.secrets);
  const { playbook, inventory, documents } = loaded;
  return { playbook, inventory, filled, documents, inventorySources: sources, secrets };
}

interface Loaded {
  playbook: Playbook;
  inventory: Inventory;
  diagnostics: Diagnostic[];
  given: Given[];
}

async function fill({ playbook, given }: Loaded, options: Record<string, unknown>): Promise<Filled> {
  const person = canAsk() ? new Person() : undefined;
  const filled = await fillInputs(
    playbook,
    given,
    process.env,
    person && ((question, secret) => person.ask(question, secret)),
  );
  if (options.askBecomePass === true) await askBecomePassword(filled);
  return filled;
}

/** @throws InvalidError with all mistakes; prints warnings. */
function checkTogether({ playbook, inventory, diagnostics, given }: Loaded): void {
  const extraVars = given.map(({ name }) => name).filter((name) => !Object.hasOwn(playbook.inputs, name));
  const found = sortDiagnostics([
    ...diagnostics,
    ...inventory.warnings,
    ...validatePlaybook(playbook, inventory, modules, { extraVars, engineVariables: ENGINE_VARIABLES }),
  ]);
  if (found.some(({ severity }) => severity === 'error')) throw new InvalidError(found);
  if (found.length > 0) printDiagnostics(found);
}

/** One password for every host that has none of its own to become another user with. */
async function askBecomePassword(filled: Filled): Promise<void> {
  const password = await new Person().ask('Password for becoming another user:', true);
  filled.extraVars.become_password = password;
  filled.secrets.push(password);
}
