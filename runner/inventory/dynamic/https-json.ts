import { type RequestOptions, request } from 'node:https';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

export interface JsonRequest {
  url: URL;
  headers?: Record<string, string>;
  /** Authorities, client certificates: what TLS needs beyond its defaults. */
  tls?: RequestOptions;
  /** SHA-256 of the server's certificate: it is trusted then, whoever signed it. */
  fingerprint?: string | undefined;
  signal: AbortSignal;
}

/** An answer that is no success: from whoever was asked, not from the way there. */
export class StatusError extends Error {}

/** An answer of at most this size is read. */
const MAX_ANSWER = 256 * 1024 * 1024;

/**
 * GETs JSON over HTTPS; the server's certificate is always verified.
 * @throws Error with a sentence for people; it holds nothing of the headers.
 */
export async function getJson({ url, headers, tls, fingerprint, signal }: JsonRequest): Promise<unknown> {
  signal.throwIfAborted();
  const options: RequestOptions = { ...tls, headers: { accept: 'application/json', ...headers }, signal };
  if (fingerprint !== undefined) {
    const socket = await connectPinned(url, fingerprint, signal);
    options.createConnection = () => socket;
  }
  const { status, text } = await get(url, options);
  if (status !== 200) throw new StatusError(`${url.pathname} was answered with status ${status}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${url.pathname} was not answered with JSON`);
  }
}

function get(url: URL, options: RequestOptions): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      answer.on('data', (part: Buffer) => {
        size += part.length;
        if (size > MAX_ANSWER) asked.destroy(new Error('the answer is larger than 256 MB'));
        else parts.push(part);
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** The certificate is looked at before anything, and with it a token, goes out. */
function connectPinned(url: URL, fingerprint: string, signal: AbortSignal): Promise<TLSSocket> {
  const wanted = plain(fingerprint);
  const port = url.port === '' ? 443 : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const name = isIP(host) ? {} : { servername: host };
    const socket = connect({ host, port, ...name, rejectUnauthorized: false }, () => {
      const shown = socket.getPeerCertificate().fingerprint256;
      signal.removeEventListener('abort', giveUp);
      if (plain(shown) === wanted) return resolve(socket);
      socket.destroy();
      reject(new Error(`the server's certificate has the fingerprint ${shown}, not the expected one`));
    });
    const giveUp = () => socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', giveUp, { once: true });
    socket.on('error', reject);
  });
}

function plain(fingerprint: string): string {
  return fingerprint
    .replace(/^\s*SHA-?256[:\s=]+(?:Fingerprint=)?/i, '')
    .replaceAll(':', '')
    .trim()
    .toLowerCase();
}
