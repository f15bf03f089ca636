import type { Diagnostic } from '../../errors.ts';
import type { Inventory } from '../../inventory/model.ts';
import type { Compiled, Expression, Reference } from '../../language/types.ts';
import { diagnosticOf } from '../../playbook/context.ts';
import { unusedExtra } from '../../playbook/fill-inputs.ts';
import type { Definitions, Inherited, Play, Playbook, Step, StepBase, Task } from '../../playbook/model.ts';
import type { Registry } from '../../playbook/registry.ts';
import { referencesOf } from './definition-references.ts';
import { unusableNames } from './foreign.ts';
import { hostsOfPattern } from './hosts.ts';
import { checkInventoryNames } from './inventory.ts';
import type { Mentions } from './mentions.ts';
import { anyShapes, BATCH_NAMES, inventoryNames, Names, type Shapes, specialNames } from './names.ts';
import { checkReference, type ReferenceRules } from './references.ts';
import { namesMadeBy, resultShape } from './registers.ts';
import { TemplateFiles } from './template-files.ts';
import { stepsOf } from './walk.ts';

/** What every check of a playbook looks at. */
export interface Subject {
  playbook: Playbook;
  inventory: Inventory | undefined;
  registry: Registry;
  /** Variables given on the command line. */
  extraVars: readonly string[];
  /** Variables that the engine itself reads (`user`, `kubeconfig`): they count as used. */
  engineVariables: readonly string[];
  /** Collects the names that the playbook uses. */
  mentions?: Mentions | undefined;
}

/** Reports names that templates and expressions use and that nothing defines where they stand. */
export function checkNames(subject: Subject): Diagnostic[] {
  return new NameCheck(subject).run();
}

class NameCheck {
  readonly #found: Diagnostic[] = [];
  readonly #subject: Subject;
  readonly #rules: ReferenceRules;
  /** Every root name that is used or defined anywhere. */
  readonly #mentioned = new Set<string>();
  readonly #files: TemplateFiles;
  /** False when a template file is not known before the run: it may use any name. */
  #allRead = true;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#rules = { hasInventory: subject.inventory !== undefined };
    this.#files = new TemplateFiles(subject.playbook.directory, subject.registry);
  }

  run(): Diagnostic[] {
    const { playbook, inventory, extraVars, engineVariables } = this.#subject;
    const everywhere = new Names(specialNames(playbook, inventory))
      .with(anyShapes(extraVars))
      .with(anyShapes(Object.keys(playbook.vars)));
    let made: Shapes = {};
    let inPlays = everywhere;
    for (const play of playbook.plays) {
      made = { ...made, ...namesMadeBy(play, this.#subject.registry) };
      inPlays = inPlays.with({ ...made, ...this.#play(play, everywhere.with(made)) });
    }
    this.#references(playbook.approval, everywhere);
    this.#references(playbook.lock, everywhere.with(inventoryNames(inventory, inventory?.hosts.keys() ?? [])));
    // A variable is resolved where it is used, so it may use names that only some plays have.
    this.#definitions(playbook.vars, inPlays);
    this.#unused();
    if (inventory) {
      const known = inPlays.with(inventoryNames(inventory, inventory.hosts.keys())).with(anyShapes(engineVariables));
      this.#found.push(...checkInventoryNames(inventory, known));
    }
    return this.#found;
  }

  /** A `-e` for a name that nothing defines or uses is a typo. */
  #unused(): void {
    const { extraVars, engineVariables, playbook, inventory } = this.#subject;
    if (!this.#allRead) return;
    const inInventory = inventoryNames(inventory, inventory?.hosts.keys() ?? []);
    for (const name of extraVars) {
      const isUsed = this.#mentioned.has(name) || engineVariables.includes(name) || Object.hasOwn(inInventory, name);
      if (!isUsed && !definedSomewhere(playbook, name))
        this.#found.push(diagnosticOf(unusedExtra(name, Object.keys(playbook.inputs))));
    }
  }

  /** Checks a play; gives the names it adds, for variables that are resolved inside it. */
  #play(play: Play, outer: Names): Shapes {
    const { inventory } = this.#subject;
    const anyHost = inventoryNames(inventory, inventory?.hosts.keys() ?? []);
    const hosts = [...hostsOfPattern(play.hosts, inventory)];
    const ownHosts = { ...inventoryNames(inventory, hosts), ...this.#unusable(hosts, outer) };
    const atControl = outer.with(anyHost).with(anyShapes(Object.keys(play.vars)));
    this.#references(play.hosts, atControl);
    this.#references(play.serial, atControl);
    this.#references(play.confirm, atControl);
    const names = outer.with(ownHosts).with(anyShapes(Object.keys(play.vars)));
    this.#inherited(play, names);
    for (const section of [play.preTasks, play.tasks, play.postTasks, play.handlers]) this.#steps(section, names);
    this.#steps(play.gate, atControl.with(BATCH_NAMES));
    const within = anyShapes(namesWithin(play));
    this.#definitions(play.vars, names.with(within));
    return { ...ownHosts, ...anyShapes(Object.keys(play.vars)), ...within };
  }

  /** Names whose value in the inventory is an error to use; a stronger definition of the same name takes its place. */
  #unusable(hosts: Iterable<string>, stronger: Names): Shapes {
    const { inventory } = this.#subject;
    if (!inventory) return {};
    const names = [...unusableNames(inventory, hosts)].filter(([name]) => stronger.shape(name) === undefined);
    return Object.fromEntries(names.map(([name, unusable]) => [name, { unusable }]));
  }

  #steps(steps: readonly Step[], names: Names): void {
    for (const step of steps) this.#step(step, names);
  }

  #step(step: Step, outer: Names): void {
    const around = outer.with(anyShapes(Object.keys(step.vars)));
    this.#references(step.loop, around);
    const names = around.with(loopNames(step));
    this.#inherited(step, names);
    this.#definitions(step.vars, names.with(anyShapes(step.kind === 'block' ? blockNames(step) : [])));
    for (const part of [step.name, step.loopControl?.label, step.retries, step.delay, ...step.when, ...step.notify]) {
      this.#references(part, names);
    }
    if (step.kind === 'block') {
      for (const condition of step.until ?? []) this.#references(condition, names);
      for (const section of [step.steps, step.rescue, step.always]) this.#steps(section, names);
      return;
    }
    this.#references(step.args, names);
    this.#templateFiles(step, names);
    // In a loop these look at the result of one item, not at the register of the whole.
    const own = step.register === undefined ? {} : { [step.register]: resultShape(step, this.#subject.registry) };
    for (const rule of [step.until, step.changedWhen, step.failedWhen]) {
      if (Array.isArray(rule)) for (const condition of rule) this.#references(condition, names.with(own));
    }
  }

  /** Templates in files see what the task sees. */
  #templateFiles(task: Task, names: Names): void {
    const { references, diagnostics, allRead } = this.#files.of(task);
    this.#found.push(...diagnostics);
    this.#each(references, names);
    if (allRead) return;
    this.#allRead = false;
    if (this.#subject.mentions) this.#subject.mentions.isComplete = false;
  }

  #inherited(part: Inherited, names: Names): void {
    const { environment, become, becomeUser, becomeMethod, delegateTo, ignoreErrors } = part;
    for (const compiled of [environment, become, becomeUser, becomeMethod, delegateTo])
      this.#references(compiled, names);
    if (typeof ignoreErrors === 'object') this.#references(ignoreErrors, names);
  }

  #definitions(definitions: Definitions, names: Names): void {
    for (const definition of Object.values(definitions)) this.#each(referencesOf(definition), names);
  }

  #references(part: Compiled | Expression | undefined, names: Names): void {
    if (part) this.#each(part.references, names);
  }

  #each(references: readonly Reference[], names: Names): void {
    for (const reference of references) {
      this.#subject.mentions?.add(reference);
      this.#mentioned.add(reference.path[0] === 'vars' ? (reference.path[1] ?? 'vars') : reference.path[0]!);
      const diagnostic = checkReference(reference, names, this.#rules);
      if (diagnostic) this.#found.push(diagnostic);
    }
  }
}

function definedSomewhere(playbook: Playbook, name: string): boolean {
  if (Object.hasOwn(playbook.vars, name)) return true;
  return playbook.plays.some(
    (play) => Object.hasOwn(play.vars, name) || [...stepsOf(play)].some((step) => Object.hasOwn(step.vars, name)),
  );
}

function loopNames(step: StepBase): Shapes {
  if (step.loop === undefined) return {};
  return anyShapes([step.loopControl?.item ?? 'item', step.loopControl?.index ?? 'index']);
}

/** Names that steps inside a play add for themselves: their variables and loop names. */
function namesWithin(play: Play): Set<string> {
  const names = new Set<string>();
  for (const step of stepsOf(play)) addNames(step, names);
  return names;
}

function blockNames(block: Step): Set<string> {
  const names = new Set<string>();
  const visit = (step: Step) => {
    addNames(step, names);
    if (step.kind === 'block') for (const inner of [...step.steps, ...step.rescue, ...step.always]) visit(inner);
  };
  visit(block);
  return names;
}

function addNames(step: Step, names: Set<string>): void {
  for (const name of [...Object.keys(step.vars), ...Object.keys(loopNames(step))]) names.add(name);
}
