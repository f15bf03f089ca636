import { ReeveError } from '../errors.ts';
import { isUnknown } from '../language/unknown.ts';
import type { Play, Task } from '../playbook/model.ts';
import { scopeFor } from './conditions.ts';
import type { StepContext } from './context.ts';
import { withFacts } from './gather.ts';
import type { HostState } from './host-state.ts';
import type { RunState } from './run-state.ts';
import type { TaskRun } from './task-run.ts';

/** Marks the handlers that a changed task names. `known` is false when the change is only possible (check mode). */
export async function notify(context: StepContext, taskRun: TaskRun, known: boolean): Promise<void> {
  const { task, host, settings, warnings } = taskRun;
  for (const compiled of settings.notify) {
    const value = await withFacts(context.run, () => compiled.render(scopeFor(context, task, host)));
    if (isUnknown(value)) {
      warnings.push(`which handler it notifies is not known yet: ${value.because}`);
      continue;
    }
    for (const name of Array.isArray(value) ? value : [value]) {
      const handlers = handlersNamed(context.run, context.playState.play, String(name));
      if (handlers.length === 0) {
        throw new ReeveError('unknown-handler', `no handler is called ${String(name)}`, {
          place: task.place,
          exitCode: 4,
        });
      }
      for (const handler of handlers) mark(taskRun, handler, known);
    }
  }
}

/** Marks one handler, unless it stands in the chain of notifications that led here: that would go on for ever. */
function mark({ context, task, host, reference, warnings }: TaskRun, handler: Task, known: boolean): void {
  const chain = context.section === 'handlers' ? [...(host.notifiedBy.get(task.id) ?? []), task.id] : [];
  const name = handlerName(context.run, handler);
  if (chain.includes(handler.id)) {
    warnings.push(`does not notify ${name} again: it has run, and its own notification led here`);
    return;
  }
  const waiting = host.notified.get(handler.id);
  host.notified.set(handler.id, waiting === true || known);
  const by = waiting === undefined ? undefined : host.notifiedBy.get(handler.id);
  host.notifiedBy.set(handler.id, by && by.length < chain.length ? by : chain);
  context.run.emitter.emit({ type: 'handler-notified', host: host.name, handler: name, by: reference.id });
}

function handlersNamed(run: RunState, play: Play, name: string): Task[] {
  return play.handlers.filter((handler) => handlerName(run, handler) === name || handler.listen.includes(name));
}

export function handlerName(run: RunState, handler: Task): string {
  return handler.name.isStatic ? String(handler.name.render(run.emptyScope)) : handler.module;
}

/** Says which handlers of failed hosts did not run; resume runs them. */
export function reportPending(run: RunState, play: Play, hosts: readonly HostState[]): void {
  for (const host of hosts) {
    if (host.notified.size === 0) continue;
    const names = play.handlers.filter((h) => host.notified.has(h.id)).map((h) => handlerName(run, h));
    host.notified.clear();
    run.emitter.emit({ type: 'handlers-pending', host: host.name, handlers: names });
  }
}
