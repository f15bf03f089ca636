/** One HTTP request from the control machine, or from the target with its curl or wget. */
import { type HttpRequest, type HttpResponse, type ReadTarget, ReeveError, TaskFailure } from '../../runner/module.ts';
import { quote } from './quote.ts';

export type From = 'control' | 'target';

/** Throws ReeveError `http-unreachable`; TaskFailure `no-http-client` on a target with neither program. */
export function request(target: ReadTarget, from: From, what: HttpRequest): Promise<HttpResponse> {
  return from === 'control' ? target.http(what) : requestOnTarget(target, what);
}

/**
 * PEM text for a request: `ca` itself when it is PEM, else the file of that name on the control machine. On the target
 * it stays a path, since its own program reads it.
 */
export async function certificates(target: ReadTarget, from: From, ca: string): Promise<string> {
  if (from === 'target' || ca.includes('-----BEGIN')) return ca;
  return (await target.source(ca)).content.toString('utf8');
}

async function requestOnTarget(target: ReadTarget, what: HttpRequest): Promise<HttpResponse> {
  const seconds = Math.max(1, Math.ceil((what.timeout ?? 30_000) / 1000));
  // The request goes in by standard input: arguments of a process can be read by every user of the machine.
  const script = `
if command -v curl >/dev/null 2>&1; then curl -q -K -
elif command -v wget >/dev/null 2>&1; then cat >/dev/null; ${wgetCommand(what, seconds)}
else echo 'neither curl nor wget' >&2; exit 127; fi`;
  const result = await target.read(script, { stdin: curlConfig(what, seconds), timeout: (seconds + 10) * 1000 });
  const { stdout } = result.raw;
  if (result.code === 127) {
    throw new TaskFailure('this host has neither curl nor wget', {
      code: 'no-http-client',
      hint: 'ask from the control machine with `from: control`, or install one of them',
    });
  }
  const answer =
    stdout.subarray(0, 5).toString() === 'HTTP/' ? fromCurl(stdout, what) : fromWget(result.stderr, stdout, what);
  if (answer) return answer;
  const why = result.stderr.trim().split('\n').at(-1) || `exit code ${result.code}`;
  throw new ReeveError('http-unreachable', `${what.url} cannot be reached from ${target.host.name}: ${why}`, {
    exitCode: 2,
  });
}

/** A file of options as curl reads it with -K: one a line, values in double quotes with backslash escapes. */
export function curlConfig(what: HttpRequest, seconds: number): string {
  const method = what.method ?? 'GET';
  const lines = [['url', what.url], ['silent'], ['show-error'], ['max-time', String(seconds)]];
  if (method === 'HEAD') lines.push(['head']);
  else lines.push(['include'], ['request', method]);
  if (what.redirect !== false) lines.push(['location']);
  if (what.verify === false) lines.push(['insecure']);
  if (what.ca !== undefined) lines.push(['cacert', what.ca]);
  for (const [name, value] of Object.entries(what.headers ?? {})) lines.push(['header', `${name}: ${value}`]);
  if (what.body !== undefined) lines.push(['data-raw', String(what.body)]);
  return lines
    .map(([name, value]) => (value === undefined ? `${name}\n` : `${name} = "${escapeConfig(value)}"\n`))
    .join('');
}

function escapeConfig(text: string): string {
  const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return text.replace(/[\\"\n\r\t]/g, (char) => escapes[char]!);
}

/** busybox's wget knows these options too, but for other methods than GET and POST. */
function wgetCommand(what: HttpRequest, seconds: number): string {
  const method = what.method ?? 'GET';
  const words = ['wget', '-q', '-S', '-O', '-'];
  if (method === 'HEAD') words.push('--spider');
  else if (method !== 'GET' && method !== 'POST') words.push(`--method=${method}`);
  if (what.verify === false) words.push('--no-check-certificate');
  if (what.ca !== undefined) words.push(`--ca-certificate=${what.ca}`);
  for (const [name, value] of Object.entries(what.headers ?? {})) words.push(`--header=${name}: ${value}`);
  if (method === 'POST') words.push(`--post-data=${what.body ?? ''}`);
  else if (what.body !== undefined) words.push(`--body-data=${what.body}`);
  // Not -T: busybox 1.35 ends with a segmentation fault where it was built without it.
  return `$(command -v timeout >/dev/null 2>&1 && echo timeout ${seconds}) ${words.map(quote).join(' ')} ${quote(what.url)}`;
}

/** Header blocks (of every redirect and proxy on the way), then the body. */
function fromCurl(output: Buffer, what: HttpRequest): HttpResponse | undefined {
  let rest = output;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const head = rest.toString('latin1', 0, end);
    const { status, headers } = readHeaders(head);
    rest = rest.subarray(end + 4);
    const onTheWay =
      status < 200 ||
      (what.redirect !== false && status >= 300 && status < 400) ||
      /^HTTP\/\S+ 200 connection established/i.test(head);
    if (onTheWay && rest.subarray(0, 5).toString() === 'HTTP/') continue;
    return { status, headers, body: rest, url: what.url };
  }
}

/** wget prints the headers of every answer indented on its standard error. */
function fromWget(errors: string, body: Buffer, what: HttpRequest): HttpResponse | undefined {
  const start = errors.lastIndexOf('HTTP/');
  if (start === -1) return undefined;
  return { ...readHeaders(errors.slice(start)), body, url: what.url };
}

function readHeaders(text: string): { status: number; headers: Record<string, string> } {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const match = /^\s*([A-Za-z0-9-]+):\s?(.*)$/.exec(line);
    if (match) headers[match[1]!.toLowerCase()] = match[2]!.trim();
  }
  return { status: Number(/^HTTP\/\S+ (\d+)/.exec(first)?.[1] ?? 0), headers };
}
