import { ReeveError } from '../errors.ts';
import type { HostFacts } from '../module.ts';
import { factsScript, parseFacts } from './facts.ts';
import { FactsNeeded } from './host-scope.ts';
import type { HostState } from './host-state.ts';
import { hostState, type RunState } from './run-state.ts';
import { runThere, specOf, type Where } from './where.ts';

const FACTS_TIMEOUT = 30_000;

/**
 * The facts of a host, gathered in one round trip when first asked for.
 * @throws UnreachableError, ReeveError `facts-failed`.
 */
export function gatherFacts(run: RunState, host: HostState, where?: Where): Promise<HostFacts> {
  host.gathering ??= gather(run, host, where).catch((error) => {
    host.gathering = undefined;
    throw error;
  });
  return host.gathering;
}

async function gather(run: RunState, host: HostState, where?: Where): Promise<HostFacts> {
  const there: Where = where ?? {
    host,
    spec: specOf(run, host),
    become: undefined,
    environment: {},
    deadline: Date.now() + FACTS_TIMEOUT,
    signal: run.interrupt.signal,
  };
  const result = await runThere(run, there, factsScript, { timeout: FACTS_TIMEOUT });
  if (result.code !== 0) {
    throw new ReeveError('facts-failed', `${host.name}: gathering facts failed: ${result.stderr.trim()}`, {
      exitCode: 2,
    });
  }
  const facts = parseFacts(result.stdout);
  host.facts = facts;
  return facts;
}

/** Renders or evaluates; where a template asks for facts that are not there yet, gathers them and tries again. */
export async function withFacts<T>(run: RunState, work: () => T): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FactsNeeded)) throw error;
      await gatherFacts(run, hostState(run, error.host));
    }
  }
}
