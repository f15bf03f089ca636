import { EXIT, ReeveError } from '../errors.ts';
import type { ClusterRequest } from '../module.ts';
import type { Endpoint } from './endpoint.ts';
import { type WireAnswer, WireError } from './wire.ts';

/** What to make of an answer or an error of one try. */
export type Verdict =
  | { kind: 'answer' }
  /** Passing: worth another try. `maybeApplied` when the request may have had its effect. */
  | { kind: 'passing'; why: string; maybeApplied: boolean; retryAfter?: number; unauthorized?: boolean; dns?: boolean }
  /** No other try on this way will end better. */
  | { kind: 'definite'; error: ReeveError };

/** TLS errors that say the other side is not who it should be, or not TLS at all (node:tls, OpenSSL). */
const TLS_HINTS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'The certificate of the API server has expired; k3s renews it when it restarts.',
  CERT_NOT_YET_VALID: 'The certificate is not valid yet: compare the clocks of this machine and the server.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is for other names: add this one to k3s (`tls-san`), or set `tls-server-name` in the kubeconfig.',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'The certificate is not signed by the authority in the kubeconfig: is it another cluster’s?',
  SELF_SIGNED_CERT_IN_CHAIN:
    'The certificate is not signed by the authority in the kubeconfig: is it another cluster’s?',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'The certificate is not signed by the authority in the kubeconfig: is it another cluster’s?',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'The certificate is not signed by the authority in the kubeconfig: is it another cluster’s?',
  CERT_SIGNATURE_FAILURE: 'The certificate is not signed by the authority in the kubeconfig: is it another cluster’s?',
};

/** 500s that mean «ask again»: etcd and kine while a leader is chosen or the server comes up. */
const PASSING_500 =
  /etcdserver: (leader changed|no leader|request timed out|server stopped|too many requests|not ready)|code = Unavailable|transport is closing|database is locked|apiserver not ready|starting/i;

export function judgeAnswer(answer: WireAnswer, request: ClusterRequest, endpoint: Endpoint): Verdict {
  const { status, body } = answer;
  const said = messageOf(body);
  const again = (maybeApplied: boolean, extra: { retryAfter?: number; unauthorized?: boolean } = {}): Verdict => ({
    kind: 'passing',
    why: `it answered ${status}${said ? ` (${said})` : ''}`,
    maybeApplied,
    ...extra,
  });
  if (status === 401) return again(false, { unauthorized: true });
  if (status === 403 && !isNamespaceTerminating(body)) return { kind: 'definite', error: forbidden(said, endpoint) };
  if (status === 429 && !request.path.endsWith('/eviction')) {
    const seconds = Number(answer.headers['retry-after'] ?? body?.details?.retryAfterSeconds ?? 1);
    return again(false, { retryAfter: Math.min(Number.isFinite(seconds) ? seconds : 1, 10) * 1000 });
  }
  if (status === 502 || status === 504) return again(true);
  // The health paths answer 500 and 503 as their verdict.
  if (/^\/(readyz|livez|healthz)/.test(request.path)) return { kind: 'answer' };
  if (status === 503) return again(true);
  if (status === 500 && PASSING_500.test(said)) return again(true);
  return { kind: 'answer' };
}

export function judgeError(error: unknown, endpoint: Endpoint | undefined): Verdict {
  if (error instanceof ReeveError) {
    if (error.code === 'unreachable') return { kind: 'passing', why: error.message, maybeApplied: false };
    return { kind: 'definite', error };
  }
  if (!(error instanceof WireError)) throw error;
  const hint = TLS_HINTS[error.code];
  // An alert that the server sends about our certificate comes only after the handshake of TLS 1.3.
  if (hint !== undefined || (error.code.startsWith('ERR_SSL_') && (!error.sent || error.code.includes('ALERT')))) {
    const wrong = error.code === 'ERR_SSL_WRONG_VERSION_NUMBER' || error.code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
    const said = wrong ? 'what answers there does not speak TLS' : error.message;
    return {
      kind: 'definite',
      error: new ReeveError('cluster-tls', `No trusted connection to ${placeOf(endpoint)}: ${said}`, {
        hint: hint ?? (wrong ? 'Is the port right, and the scheme https?' : undefined),
        exitCode: EXIT.unreachable,
        cause: error,
      }),
    };
  }
  const dns = error.code === 'ENOTFOUND';
  return { kind: 'passing', why: whyNot(error), maybeApplied: error.sent, ...(dns && { dns }) };
}

/** Why there was no answer, for people. */
export function whyNot(error: unknown): string {
  if (!(error instanceof WireError)) return error instanceof Error ? error.message : String(error);
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was cut';
    case 'ETIMEDOUT':
      return error.message;
    case 'ENOTFOUND':
      return `the name does not resolve (${error.message})`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no route to it';
    default:
      return error.message === 'aborted' ? 'the connection was cut' : error.message;
  }
}

/** Where a request went, for messages. */
export function placeOf(endpoint: Endpoint | undefined): string {
  return endpoint ? `the API server ${endpoint.server} (from ${endpoint.origin})` : 'the API server';
}

export function unauthorized(endpoint: Endpoint, said: string): ReeveError {
  const problem = endpoint.certificateProblem();
  const why = problem ? `the client certificate ${problem}` : said.replace(/^it answered /, 'it keeps answering ');
  return new ReeveError('cluster-unauthorized', `The credentials are not accepted by ${placeOf(endpoint)}: ${why}`, {
    exitCode: EXIT.taskFailed,
    hint: problem
      ? 'k3s renews its certificates when a server restarts; then copy k3s.yaml again.'
      : 'Log in again, or copy a fresh kubeconfig from a server.',
  });
}

/** `User "x" cannot patch resource "nodes" in API group "" at the cluster scope` → which right is missing. */
function forbidden(said: string, endpoint: Endpoint): ReeveError {
  const match =
    /User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(said);
  const options = { exitCode: EXIT.taskFailed };
  if (!match) return new ReeveError('cluster-forbidden', `Refused by ${placeOf(endpoint)}: ${said || '403'}`, options);
  const [, user, verb, resource, group, namespace] = match;
  const where = namespace ? `in namespace ${namespace}` : 'in the whole cluster';
  const full = group ? `${resource}.${group}` : resource;
  return new ReeveError('cluster-forbidden', `${user} may not ${verb} ${full} ${where}, says ${placeOf(endpoint)}`, {
    ...options,
    hint:
      `The right that is missing: a ${namespace ? 'Role' : 'ClusterRole'} with apiGroups ["${group}"], ` +
      `resources ["${resource}"], verbs ["${verb}"], bound to ${user}.`,
  });
}

/** A namespace that is being deleted refuses evictions with 403 and this cause (kubernetes/kubectl pkg/drain). */
function isNamespaceTerminating(body: WireAnswer['body']): boolean {
  const causes: unknown = body?.details?.causes;
  return Array.isArray(causes) && causes.some((cause) => cause?.reason === 'NamespaceTerminating');
}

export function messageOf(body: WireAnswer['body']): string {
  if (typeof body === 'string') return body.trim().slice(0, 200);
  return typeof body?.message === 'string' ? body.message : '';
}
