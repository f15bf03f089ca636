import { type Diagnostic, EXIT, InvalidError } from '../errors.ts';
import type { Inventory } from '../inventory/model.ts';
import type { Opener } from '../load/opener.ts';
import { loadDocument } from '../load/parse.ts';
import { diagnosticOf } from '../playbook/context.ts';
import { parsePlaybook, parseTasksFile } from '../playbook/parse.ts';
import type { Registry } from '../playbook/registry.ts';
import { Mentions } from './playbook/mentions.ts';
import { checkSetTwice, checkShadowed, checkUnused } from './playbook/unused.ts';
import { sortDiagnostics } from './sort.ts';
import { type ValidateOptions, validatePlaybook } from './validate-playbook.ts';

export interface ValidateRequest extends ValidateOptions {
  /** Playbooks and tasks files. */
  files: readonly string[];
  registry: Registry;
  /** Opens files that are encrypted. */
  opener?: Opener | undefined;
  /** Loads the inventory, or has it. Without one, names that hosts may define are warnings. */
  inventory?: Inventory | (() => Inventory) | undefined;
  /** Warn of variables that nothing uses, that hide others, or that are set twice. */
  warnOfVariables?: boolean;
}

export interface ValidateResult {
  diagnostics: Diagnostic[];
  exitCode: number;
}

/** `reeve validate`: everything that is wrong with some files, in one go and without a connection. */
export function runValidate(request: ValidateRequest): ValidateResult {
  const { inventory, diagnostics: ofInventory } = openInventory(request.inventory);
  const mentions = new Mentions();
  const ofFiles = request.files.flatMap((file) => validateFile(file, { ...request, mentions }, inventory));
  // Names that a broken inventory may define would be warnings about nothing.
  const relevant = ofInventory.some(({ severity }) => severity === 'error')
    ? ofFiles.filter(({ code }) => code !== 'undefined-variable')
    : ofFiles;
  const isSound = !ofFiles.some(({ severity }) => severity === 'error');
  // Of playbooks with mistakes it cannot be said what they use.
  const ofVariables =
    request.warnOfVariables && inventory && isSound && request.files.length > 0
      ? [...checkUnused(inventory, mentions, request.engineVariables ?? []), ...checkSetTwice(inventory)]
      : [];
  const diagnostics = sortDiagnostics([...ofInventory, ...relevant, ...ofVariables]);
  const isInvalid = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  return { diagnostics, exitCode: isInvalid ? EXIT.invalid : EXIT.done };
}

function openInventory(given: ValidateRequest['inventory']): { inventory?: Inventory; diagnostics: Diagnostic[] } {
  if (given === undefined) return { diagnostics: [] };
  try {
    const inventory = typeof given === 'function' ? given() : given;
    return { inventory, diagnostics: inventory.warnings };
  } catch (error) {
    return { diagnostics: error instanceof InvalidError ? error.diagnostics : [diagnosticOf(error)] };
  }
}

function validateFile(file: string, request: ValidateRequest, inventory: Inventory | undefined): Diagnostic[] {
  const { registry, opener } = request;
  try {
    const document = loadDocument(file, opener ? { opener } : {});
    const isTasksFile = Array.isArray(document.value) && !document.value.some(looksLikePlay);
    const { playbook, diagnostics } = (isTasksFile ? parseTasksFile : parsePlaybook)(document, registry, opener);
    if (!playbook) return diagnostics;
    const found = validatePlaybook(playbook, isTasksFile ? undefined : inventory, registry, request);
    if (isTasksFile) return [...diagnostics, ...found.filter(holdsAlone)];
    return [
      ...diagnostics,
      ...found,
      ...(request.warnOfVariables && inventory ? checkShadowed(playbook, inventory) : []),
    ];
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    return error.diagnostics;
  }
}

function looksLikePlay(item: unknown): boolean {
  return item !== null && typeof item === 'object' && ('hosts' in item || 'import_playbook' in item);
}

/** Handlers, inputs and variables of a tasks file are those of whoever includes it. */
function holdsAlone(diagnostic: Diagnostic): boolean {
  return !['unknown-handler', 'undefined-variable', 'unknown-input', 'unknown-member'].includes(diagnostic.code);
}
