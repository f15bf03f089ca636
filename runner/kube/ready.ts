import type { ServerReadiness } from '../module.ts';
import { unlessAborted } from './attempt.ts';
import { messageOf, whyNot } from './failures.ts';
import type { Way } from './ways.ts';
import { exchange } from './wire.ts';

/** milliseconds: an API server that takes longer to say that it is ready is not there for anybody. */
const READY_TIMEOUT = 5_000;

export interface Readiness extends ServerReadiness {
  /** It serves requests: it is ready, or it is there and only does not tell us (403). */
  answers: boolean;
}

/** Asks one server's own `/readyz`, once, for at most five seconds. Throws only the signal's reason. */
export async function askReady(way: Way, signal?: AbortSignal): Promise<Readiness> {
  const limit = AbortSignal.timeout(READY_TIMEOUT + 500);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    const endpoint = await unlessAborted(way.open(), either);
    const { status, body } = await exchange(endpoint, {
      method: 'GET',
      path: '/readyz',
      timeout: READY_TIMEOUT,
      // A connection from before a restart says nothing about the server that is there now.
      fresh: true,
      // How long it takes to answer must not be how long other requests take.
      beside: true,
      signal: either,
    });
    // Credentials may have been renewed while it restarted: they are read again for the next question.
    if (status === 401) way.forget();
    const ready = status === 200;
    return { ready, answers: ready || status === 403, detail: ready ? 'ok' : `${status}: ${messageOf(body)}` };
  } catch (error) {
    signal?.throwIfAborted();
    return { ready: false, answers: false, detail: whyNot(error) };
  }
}
