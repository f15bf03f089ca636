import {
  defineModule,
  type HttpRequest,
  type HttpResponse,
  type ReadTarget,
  ReeveError,
  TaskFailure,
} from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema } from '../shared/duration.ts';
import { certificates, type From, request } from '../shared/http-request.ts';

interface Next {
  request: HttpRequest;
  from: From;
  accepted: number[];
  withContent: boolean;
}

export const http = defineModule({
  name: 'http',
  description: 'Sends an HTTP request and checks the answer.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['url'],
    properties: {
      url: { type: 'string', pattern: '^https?://', description: 'Address.' },
      method: {
        type: 'string',
        enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
        default: 'GET',
        description: 'Method of the request.',
      },
      headers: {
        type: 'object',
        additionalProperties: { type: 'string' },
        default: {},
        description: 'Headers of the request.',
      },
      body: { description: 'Body: text, or a value that is sent as `body_format` says.' },
      body_format: {
        type: 'string',
        enum: ['json', 'form', 'raw'],
        description: 'How a body is written; default: raw for text, else json.',
      },
      token: { type: 'string', writeOnly: true, description: 'Sent as `Authorization: Bearer …`.' },
      user: { type: 'string', description: 'For basic authentication.' },
      password: { type: 'string', writeOnly: true, description: 'For basic authentication.' },
      status_code: {
        anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' }, minItems: 1 }],
        default: 200,
        description: 'The answers that count as success.',
      },
      return_content: { type: 'boolean', default: false, description: 'Give the body as text in `content`.' },
      follow: { type: 'boolean', default: true, description: 'Follow redirects.' },
      validate_certs: { type: 'boolean', default: true, description: 'Refuse certificates that do not verify.' },
      ca: { type: 'string', description: 'Certificate authority: PEM, or its file on the machine that asks.' },
      timeout: durationSchema('How long the answer may take.', '30s'),
      from: { type: 'string', enum: ['control', 'target'], default: 'control', description: 'Which machine asks.' },
      reads: {
        type: 'boolean',
        default: false,
        description: 'This request changes nothing though its method is not GET: it is sent in check mode too.',
      },
    },
  },
  shorthand: 'url',
  examples: [
    {
      title: 'A health check, from the host itself',
      yaml: 'http: { url: "http://127.0.0.1:8080/healthz", from: target }',
    },
    {
      title: 'Tell a chat',
      yaml: 'http:\n  url: https://chat.example.org/hooks/1\n  method: POST\n  body: { text: "{{ host.name }} is done" }\n  status_code: [200, 204]',
    },
  ],
  kind: 'action',
  noUndo: 'what a request has done is not known: `rollback:` tasks of the play can take it back',
  looks,
  guard:
    'GET, HEAD, OPTIONS and requests with `reads` are sent while planning, also in check mode; others only for real',
  returns: {
    type: 'object',
    properties: {
      status: { type: 'integer', description: 'Status of the answer; -1 without one.' },
      headers: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'Of the answer, names in lower case.',
      },
      json: { description: 'The body when it is JSON, else null.' },
      content: { type: 'string', description: 'The body with `return_content`, else empty.' },
      url: { type: 'string', description: 'Address after redirects, where it is known.' },
    },
  },
  check(args) {
    if (args.password !== undefined && args.user === undefined) return '`password` needs `user`';
    if (args.token !== undefined && args.user !== undefined) return 'give `token` or `user`, not both';
    return checkDurations(args, 'timeout');
  },
  async plan(args, target) {
    const next: Next = {
      request: await requestOf(args, target),
      from: args.from,
      accepted: Array.isArray(args.status_code) ? (args.status_code as number[]) : [args.status_code as number],
      withContent: args.return_content,
    };
    if (looks({ ...args })) {
      return { changes: [], facts: await send(next, target) };
    }
    return { changes: [{ summary: `${args.method} ${args.url}` }], next };
  },
  async apply(next, target) {
    return { facts: await send(next, target) };
  },
});

/** Without a method it is a GET. */
function looks({ method = 'GET', reads }: Record<string, unknown>): boolean {
  return reads === true || method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

interface Args {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: unknown;
  body_format?: 'json' | 'form' | 'raw';
  token?: string;
  user?: string;
  password?: string;
  follow: boolean;
  validate_certs: boolean;
  ca?: string;
  timeout: unknown;
  from: From;
}

async function requestOf(args: Args, target: ReadTarget): Promise<HttpRequest> {
  const { type, body } = bodyOf(args.body, args.body_format);
  const headers: Record<string, string> = { ...args.headers };
  if (type && !hasHeader(headers, 'content-type')) headers['content-type'] = type;
  if (args.token !== undefined) headers.authorization = `Bearer ${args.token}`;
  if (args.user !== undefined) {
    const pair = Buffer.from(`${args.user}:${args.password ?? ''}`).toString('base64');
    headers.authorization = `Basic ${target.secret(pair)}`;
  }
  return {
    url: args.url,
    method: args.method,
    headers,
    ...(body === undefined ? {} : { body }),
    timeout: Math.min(durationOf(args.timeout, 'timeout'), target.remaining()),
    redirect: args.follow,
    verify: args.validate_certs,
    ...(args.ca === undefined ? {} : { ca: await certificates(target, args.from, args.ca) }),
  };
}

function hasHeader(headers: Record<string, string>, name: string): boolean {
  return Object.keys(headers).some((one) => one.toLowerCase() === name);
}

function bodyOf(value: unknown, format: Args['body_format']): { type?: string; body?: string } {
  if (value === undefined) return {};
  const how = format ?? (typeof value === 'string' ? 'raw' : 'json');
  if (how === 'json') return { type: 'application/json', body: JSON.stringify(value) };
  if (how === 'raw') return { body: typeof value === 'string' ? value : JSON.stringify(value) };
  const pairs = Object.entries(value as Record<string, unknown>).map(([name, one]): [string, string] => [
    name,
    String(one),
  ]);
  return { type: 'application/x-www-form-urlencoded', body: new URLSearchParams(pairs).toString() };
}

/** Throws TaskFailure `http-status` or `http-unreachable`; its facts hold the answer for `until` and `failed_when`. */
async function send({ request: what, from, accepted, withContent }: Next, target: ReadTarget) {
  let answer: HttpResponse;
  try {
    answer = await request(target, from, what);
  } catch (error) {
    if (!(error instanceof ReeveError && error.code === 'http-unreachable')) throw error;
    const facts = { status: -1, headers: {}, json: null, content: '', url: what.url };
    throw new TaskFailure(error.message, { code: error.code, cause: error, facts, hint: error.hint });
  }
  const text = answer.body.toString('utf8');
  const facts = {
    status: answer.status,
    headers: answer.headers,
    json: parseJson(answer.headers['content-type'] ?? '', text),
    content: withContent ? text : '',
    url: answer.url,
  };
  if (accepted.includes(answer.status)) return facts;
  const shown = text.trim().slice(0, 500);
  throw new TaskFailure(`${what.method} ${what.url} answered ${answer.status}${shown ? `: ${shown}` : ''}`, {
    code: 'http-status',
    facts,
  });
}

function parseJson(type: string, text: string): unknown {
  if (!/[/+]json\b/i.test(type)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
