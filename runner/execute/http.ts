import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { ReeveError } from '../errors.ts';
import type { HttpRequest, HttpResponse } from '../module.ts';

const MAX_REDIRECTS = 10;
const DEFAULT_TIMEOUT = 30_000;

/**
 * One HTTP request from the control machine, redirects followed.
 * @throws ReeveError `http-unreachable` when no answer came.
 */
export async function fetchHttp(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  let current = request;
  for (let hop = 0; ; hop++) {
    const response = await once(current, signal);
    const location = response.headers.location;
    const redirected = response.status >= 301 && response.status <= 308 && response.status !== 304;
    if (!redirected || !location || request.redirect === false) return response;
    if (hop >= MAX_REDIRECTS) throw unreachable(request.url, `more than ${MAX_REDIRECTS} redirects`);
    current = follow(current, new URL(location, current.url).href, response.status);
  }
}

function follow(request: HttpRequest, url: string, status: number): HttpRequest {
  const { body: _, ...withoutBody } = request;
  const sameOrigin = new URL(url).origin === new URL(request.url).origin;
  const kept =
    status === 307 || status === 308 ? request : { ...withoutBody, method: request.method === 'HEAD' ? 'HEAD' : 'GET' };
  // Credentials must not follow to another origin.
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => sameOrigin || !/^(authorization|cookie|proxy-authorization)$/i.test(name),
  );
  return { ...kept, url, headers: Object.fromEntries(headers) };
}

async function once(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const url = parseUrl(request.url);
  const options: RequestOptions & { rejectUnauthorized?: boolean; ca?: string } = {
    method: request.method ?? 'GET',
    headers: request.headers ?? {},
    signal: AbortSignal.any([signal, AbortSignal.timeout(request.timeout ?? DEFAULT_TIMEOUT)]),
  };
  if (request.verify === false) options.rejectUnauthorized = false;
  if (request.ca !== undefined) options.ca = request.ca;
  const send = url.protocol === 'https:' ? (await import('node:https')).request : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(unreachable(request.url, reason(cause), cause));
    const outgoing = send(url, options, (incoming) => collect(incoming, request.url).then(resolve, fail));
    outgoing.on('error', fail);
    outgoing.end(request.body);
  });
}

async function collect(incoming: IncomingMessage, url: string): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = Object.entries(incoming.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return { status: incoming.statusCode ?? 0, headers: Object.fromEntries(headers), body: Buffer.concat(chunks), url };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ReeveError('invalid-url', `${text} is no http or https URL`, { exitCode: 2 });
  }
  return url;
}

function reason(error: Error & { code?: string }): string {
  if (error.name === 'TimeoutError' || (error.cause as Error | undefined)?.name === 'TimeoutError')
    return 'no answer in time';
  return error.message || error.code || 'the connection failed';
}

function unreachable(url: string, why: string, cause?: unknown): ReeveError {
  return new ReeveError('http-unreachable', `${url}: ${why}`, { cause, exitCode: 2 });
}
