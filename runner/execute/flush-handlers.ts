import type { Task } from '../playbook/model.ts';
import type { StepContext } from './context.ts';
import type { HostState } from './host-state.ts';
import { noteLost } from './lost-hosts.ts';

/** How a task is run on several hosts; given in, since the steps flush handlers too. */
export type RunOnHosts = (
  context: StepContext,
  task: Task,
  hosts: readonly HostState[],
  possible: ReadonlySet<HostState>,
) => Promise<void>;

/**
 * Runs the notified handlers in the order they are written, each once a host, until none is left. A play that failures
 * have ended runs none, but those that `force_handlers` asks for.
 */
export async function flushHandlers(
  context: StepContext,
  hosts: readonly HostState[],
  runOnHosts: RunOnHosts,
): Promise<void> {
  const handlers: StepContext = { ...context, section: 'handlers', rescuable: false };
  const { playState } = context;
  const { forceHandlers, handlers: list } = playState.play;
  let again = true;
  while (again && !context.run.interrupt.requested) {
    again = false;
    for (const handler of list) {
      const mayRun = (host: HostState) => forceHandlers || !(host.failed || playState.aborted);
      const waiting = hosts.filter((host) => host.notified.has(handler.id) && mayRun(host));
      if (waiting.length === 0) continue;
      again = true;
      await runHandler(handlers, handler, waiting, runOnHosts);
      noteLost(context, hosts);
    }
  }
}

async function runHandler(
  context: StepContext,
  handler: Task,
  hosts: HostState[],
  runOnHosts: RunOnHosts,
): Promise<void> {
  const { play, once } = context.playState;
  // What was notified since it last ran is a change that it has not seen. With strategy free each host flushes alone.
  if (play.strategy === 'linear') once.delete(handler.id + context.suffix);
  const failures = new Map(hosts.map((host) => [host, host.failed]));
  const possible = hosts.filter((host) => host.notified.get(handler.id) === false);
  for (const host of hosts) {
    host.notified.delete(handler.id);
    host.failed = undefined;
  }
  await runOnHosts(context, handler, hosts, new Set(possible));
  for (const [host, failure] of failures) host.failed ??= failure;
}
