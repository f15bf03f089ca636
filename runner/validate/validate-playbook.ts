import type { Diagnostic } from '../errors.ts';
import type { Inventory } from '../inventory/model.ts';
import { inside } from '../playbook/context.ts';
import type { Playbook } from '../playbook/model.ts';
import type { Registry } from '../playbook/registry.ts';
import { checkWrittenArgs } from './args.ts';
import { checkCycles } from './playbook/cycles.ts';
import { checkHandlers } from './playbook/handlers.ts';
import { checkHosts } from './playbook/hosts.ts';
import { checkInventoryCycles } from './playbook/inventory.ts';
import type { Mentions } from './playbook/mentions.ts';
import { checkNotFollowed } from './playbook/not-followed.ts';
import { checkNames, type Subject } from './playbook/scopes.ts';
import { tasksOf } from './playbook/walk.ts';
import { assertSchema } from './schema/ajv.ts';
import { checkValue } from './schema/check.ts';
import { sortDiagnostics } from './sort.ts';

export interface ValidateOptions {
  /** Names given by `-e` that are no inputs. */
  extraVars?: readonly string[];
  /** Variables that the engine itself reads (`user`, `kubeconfig`): they count as used. */
  engineVariables?: readonly string[];
  /** Collects the names that the playbook uses. */
  mentions?: Mentions | undefined;
}

/**
 * All that can be said against a parsed playbook before anything connects: arguments, names, hosts, handlers, inputs.
 * Sorted by place. Without an inventory, names that hosts may have are warnings. Does not throw.
 */
export function validatePlaybook(
  playbook: Playbook,
  inventory: Inventory | undefined,
  registry: Registry,
  options: ValidateOptions = {},
): Diagnostic[] {
  const { extraVars = [], engineVariables = [], mentions } = options;
  const subject: Subject = { playbook, inventory, registry, extraVars, engineVariables, mentions };
  return sortDiagnostics([
    ...checkInputs(playbook),
    ...checkAllArgs(subject),
    ...checkNames(subject),
    ...checkHosts(subject),
    ...checkHandlers(subject),
    ...checkCycles(subject),
    ...(inventory ? [...checkInventoryCycles(inventory), ...checkNotFollowed(inventory)] : []),
  ]);
}

function checkAllArgs({ playbook, registry }: Subject): Diagnostic[] {
  return playbook.plays.flatMap((play) =>
    [...tasksOf(play)].flatMap((task) => checkWrittenArgs(registry.get(task.module)!, task)),
  );
}

/** Defaults must be what their inputs ask for, and an input and a variable cannot share a name. */
function checkInputs(playbook: Playbook): Diagnostic[] {
  return Object.entries(playbook.inputs).flatMap(([name, input]) => {
    const at = inside({ document: playbook.document, path: [] }, 'inputs', name, 'default');
    const found: Diagnostic[] = [];
    const { place, default: fallback, ...schema } = input;
    try {
      // Without inner schemas the form was checked when it was parsed.
      if (input.items || input.properties || input.additionalProperties) assertSchema(schema);
      const checked = checkValue(schema, fallback, at, { name: `the default of \`${name}\``, member: 'key' });
      if (fallback !== undefined) found.push(...checked.diagnostics);
    } catch (error) {
      found.push({
        code: 'bad-schema',
        severity: 'error',
        message: `the input \`${name}\` is no valid JSON Schema: ${(error as Error).message}`,
        place,
      });
    }
    const variable = Object.hasOwn(playbook.vars, name) ? playbook.vars[name] : undefined;
    if (variable) {
      found.push({
        code: 'duplicate-name',
        severity: 'error',
        message: `\`${name}\` is an input and a variable of the playbook`,
        place: variable.where,
        related: [{ message: 'the input', place }],
      });
    }
    return found;
  });
}
