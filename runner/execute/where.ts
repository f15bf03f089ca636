import type { Become, ConnectionSpec, ShellRequest } from '../connect/types.ts';
import type { LayeredScope } from '../language/scope.ts';
import type { RunOptions, RunResult } from '../module.ts';
import { connectionSpec } from './connection-spec.ts';
import { plainScope } from './host-scope.ts';
import type { HostState } from './host-state.ts';
import { hostState, type RunState } from './run-state.ts';

/** The name of the machine that reeve runs on. */
export const CONTROL_HOST = 'localhost';

const specs = new WeakMap<HostState, ConnectionSpec>();

/** How to reach a host; worked out once a run. */
export function specOf(run: RunState, host: HostState): ConnectionSpec {
  let spec = specs.get(host);
  if (!spec) {
    const scopeOf = (name: string): LayeredScope => plainScope(run, hostState(run, name));
    spec = connectionSpec(host.name, scopeOf(host.name), scopeOf, (value) => run.masker.add(value));
    specs.set(host, spec);
  }
  return spec;
}

/** Where a task's scripts run: the host (or its delegate), the user they run as, and what is set around them. */
export interface Where {
  host: HostState;
  spec: ConnectionSpec;
  become: Become | undefined;
  environment: Record<string, string>;
  /** Time when the task must be over, in milliseconds since the epoch. */
  deadline: number;
  signal: AbortSignal;
  onOutput?: (stream: 'stdout' | 'stderr', text: Buffer) => void;
}

/** Runs a script where the task runs. */
export function runThere(run: RunState, where: Where, script: string, options: RunOptions = {}): Promise<RunResult> {
  const { timeout, env, ...rest } = options;
  const request: ShellRequest = {
    ...rest,
    script,
    env: { ...where.environment, ...env },
    timeout: Math.max(1, Math.min(timeout ?? Number.POSITIVE_INFINITY, where.deadline - Date.now())),
    signal: where.signal,
  };
  if (where.onOutput) request.onOutput = where.onOutput;
  return run.connections.run(where.spec, where.become, request);
}
