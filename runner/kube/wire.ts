import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import type { Endpoint } from './endpoint.ts';

export interface WireRequest {
  method: string;
  /** With its query. */
  path: string;
  body?: unknown;
  contentType?: string;
  /** milliseconds for the whole answer; for a stream, for its headers and then for any silence. */
  timeout: number;
  /** On a connection of its own, for what must not be sent twice. */
  fresh?: boolean;
  /** Without waiting for a slot: for what measures time. */
  beside?: boolean;
  signal: AbortSignal;
}

export interface WireAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** Parsed JSON, or text when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: API objects are open.
  body: any;
}

/** The connection failed or was silent. `sent` tells whether the request may have reached the server. */
export class WireError extends Error {
  readonly code: string;
  readonly sent: boolean;

  constructor(cause: unknown, sent: boolean) {
    const { code, message } = cause as NodeJS.ErrnoException;
    super(message || code || String(cause), { cause });
    this.name = 'WireError';
    this.code = code ?? '';
    this.sent = sent;
  }
}

/** One request and its whole answer, whatever the status. Throws WireError, or the signal's reason. */
export async function exchange(endpoint: Endpoint, wanted: WireRequest): Promise<WireAnswer> {
  if (wanted.beside) return exchangeNow(endpoint, wanted);
  const release = await endpoint.slots.take(wanted.signal);
  try {
    return await exchangeNow(endpoint, wanted);
  } finally {
    release();
  }
}

async function exchangeNow(endpoint: Endpoint, wanted: WireRequest): Promise<WireAnswer> {
  const { response, sent, finish } = await begin(endpoint, wanted);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: decode(Buffer.concat(chunks), response.headers['content-type']),
    };
  } catch (error) {
    wanted.signal.throwIfAborted();
    throw new WireError(error, sent());
  } finally {
    finish();
  }
}

/**
 * One request whose answer is JSON objects, one a line. Calls `each` for every object and resolves when the server ends
 * the stream; an answer other than 200 is returned instead.
 */
export async function stream(
  endpoint: Endpoint,
  wanted: WireRequest,
  // biome-ignore lint/suspicious/noExplicitAny: watch events carry open API objects.
  each: (objects: any[]) => void,
): Promise<WireAnswer | undefined> {
  const { response, sent, alive, finish } = await begin(endpoint, wanted);
  try {
    if (response.statusCode !== 200) {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const body = decode(Buffer.concat(chunks), response.headers['content-type']);
      return { status: response.statusCode ?? 0, headers: response.headers, body };
    }
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for await (const chunk of response) {
      alive();
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop()!;
      const objects = lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line));
      if (objects.length > 0) each(objects);
    }
    return undefined;
  } catch (error) {
    wanted.signal.throwIfAborted();
    throw new WireError(error, sent());
  } finally {
    finish();
  }
}

interface Begun {
  response: IncomingMessage;
  sent(): boolean;
  /** Something was heard: the time limit starts anew. */
  alive(): void;
  finish(): void;
}

async function begin(endpoint: Endpoint, wanted: WireRequest): Promise<Begun> {
  wanted.signal.throwIfAborted();
  const { agent, headers } = await endpoint.settings({ fresh: wanted.fresh ?? false });
  wanted.signal.throwIfAborted();
  const text = wanted.body === undefined ? undefined : JSON.stringify(wanted.body);
  const send = endpoint.server.startsWith('http:') ? requestHttp : requestHttps;
  const outgoing: ClientRequest = send(`${endpoint.server}${wanted.path}`, {
    method: wanted.method,
    agent,
    headers: {
      Accept: 'application/json',
      'User-Agent': 'reeve',
      ...headers,
      ...(text !== undefined && {
        'Content-Type': wanted.contentType ?? 'application/json',
        'Content-Length': Buffer.byteLength(text),
      }),
    },
  });
  let sent = false;
  let answer: IncomingMessage | undefined;
  outgoing.once('socket', () => {
    sent = true;
  });
  // A request that has no socket yet reports its end only when it gets one, so whoever waits is told directly.
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const end = (error: Error) => {
    failed.reject(error);
    outgoing.destroy(error);
  };
  const abort = () => end(new Error('aborted'));
  const silence = () => end(Object.assign(new Error(`no answer in ${wanted.timeout / 1000} s`), { code: 'ETIMEDOUT' }));
  let timer = setTimeout(silence, wanted.timeout);
  wanted.signal.addEventListener('abort', abort, { once: true });
  const finish = () => {
    clearTimeout(timer);
    wanted.signal.removeEventListener('abort', abort);
    // A socket in the middle of an answer is of no use to the next request.
    if (!answer?.complete) outgoing.destroy();
  };
  try {
    const arrived = new Promise<IncomingMessage>((accept, reject) => {
      outgoing.once('response', accept);
      outgoing.on('error', reject);
      outgoing.end(text);
    });
    const response = await Promise.race([arrived, failed.promise]);
    answer = response;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(silence, wanted.timeout);
    };
    return { response, sent: () => sent, alive, finish };
  } catch (error) {
    finish();
    wanted.signal.throwIfAborted();
    throw new WireError(error, sent);
  }
}

function decode(content: Buffer, type: string | undefined): unknown {
  const text = content.toString('utf8');
  if (!type?.includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
