import type { Diagnostic } from '../../errors.ts';
import { didYouMean } from '../../language/nearest.ts';
import { inside, placeOf, spotOf } from '../../playbook/context.ts';
import type { Play, Step, Task } from '../../playbook/model.ts';
import type { Subject } from './scopes.ts';
import { stepsOf } from './walk.ts';

const NO_NAMES = { get: () => undefined, has: () => false, names: () => [] };

/** Reports notifications of handlers that do not exist, handlers that nothing notifies, and handlers of one name. */
export function checkHandlers({ playbook }: Subject): Diagnostic[] {
  return playbook.plays.flatMap((play) => [...duplicates(play), ...notifications(play)]);
}

function nameOf(handler: Task): string {
  return handler.name.isStatic ? String(handler.name.render(NO_NAMES)) : handler.module;
}

function duplicates(play: Play): Diagnostic[] {
  const first = new Map<string, Task>();
  return play.handlers.flatMap((handler) => {
    const name = nameOf(handler);
    const earlier = first.get(name);
    if (!earlier) {
      first.set(name, handler);
      return [];
    }
    return {
      code: 'duplicate-name',
      severity: 'error',
      message: `another handler of this play is called \`${name}\``,
      place: placeOf(inside(spotOf(handler), 'name')),
      related: [{ message: 'first here', place: placeOf(inside(spotOf(earlier), 'name')) }],
    } satisfies Diagnostic;
  });
}

function notifications(play: Play): Diagnostic[] {
  const found: Diagnostic[] = [];
  const notified = new Set<string>();
  let anyTemplate = false;
  const names = play.handlers.flatMap((handler) => [nameOf(handler), ...handler.listen]);
  for (const step of stepsOf(play)) {
    step.notify.forEach((compiled, index) => {
      if (!compiled.isStatic) {
        anyTemplate = true;
        return;
      }
      const name = String(compiled.render(NO_NAMES));
      if (!isHandler(step, play, name)) notified.add(name);
      if (!names.includes(name)) found.push(unknownHandler(step, index, name, names));
    });
  }
  return anyTemplate ? found : [...found, ...neverNotified(play, notified)];
}

/** A handler that notifies itself is not reached by that. */
function isHandler(step: Step, play: Play, name: string): boolean {
  return (
    play.handlers.includes(step as Task) && (nameOf(step as Task) === name || (step as Task).listen.includes(name))
  );
}

function unknownHandler(step: Step, index: number, name: string, names: string[]): Diagnostic {
  const spot = spotOf(step);
  const inList = inside(spot, 'notify', index);
  return {
    code: 'unknown-handler',
    severity: 'error',
    message: `no handler of this play is called \`${name}\``,
    place: placeOf(inList),
    hint: didYouMean(name, names) ?? (names.length > 0 ? `there are: ${names.join(', ')}` : 'the play has no handlers'),
  };
}

function neverNotified(play: Play, notified: Set<string>): Diagnostic[] {
  return play.handlers
    .filter((handler) => !notified.has(nameOf(handler)) && !handler.listen.some((name) => notified.has(name)))
    .map((handler) => ({
      code: 'unused-handler',
      severity: 'warning',
      message: `nothing notifies the handler \`${nameOf(handler)}\``,
      place: handler.place,
      hint: 'name it in the `notify` of a task, or remove it',
    }));
}
