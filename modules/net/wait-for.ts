import { defineModule, type ReadTarget, ReeveError, TaskFailure } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema } from '../shared/duration.ts';
import { certificates, type From, request } from '../shared/http-request.ts';
import { isUnreachable, poll } from '../shared/polling.ts';
import { connectionsScript, portScript } from '../shared/port-probe.ts';
import { quotePath } from '../shared/quote.ts';

/** Bytes of the end of a file that a regular expression is looked for in. */
const FILE_TAIL = 1_000_000;

export const waitFor = defineModule({
  name: 'wait-for',
  description: 'Waits for a port, a file or an HTTP answer.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      port: { type: 'integer', minimum: 1, maximum: 65535, description: 'TCP port to wait for.' },
      host: { type: 'string', description: 'Of the port; default: the host itself.' },
      path: { type: 'string', description: 'File or directory on the host to wait for.' },
      url: { type: 'string', pattern: '^https?://', description: 'Address to wait for.' },
      state: {
        type: 'string',
        enum: ['started', 'stopped', 'present', 'absent', 'drained'],
        default: 'started',
        description:
          'started, present: it is there; stopped, absent: it is gone; drained: no connection to the port is left.',
      },
      search_regex: {
        type: 'string',
        description: 'What the file or the answer must hold (JavaScript, with `^` and `$` at line ends).',
      },
      status_code: { type: 'integer', default: 200, description: 'Status that the URL must answer.' },
      validate_certs: {
        type: 'boolean',
        default: true,
        description: 'Of the URL: refuse certificates that do not verify.',
      },
      ca: { type: 'string', description: 'Of the URL: PEM, or its file on the machine that asks.' },
      from: {
        type: 'string',
        enum: ['control', 'target'],
        default: 'target',
        description: 'Which machine looks at the port or the URL. Files are always those of the target.',
      },
      delay: durationSchema('Wait before the first look.', 0),
      interval: durationSchema('Wait between looks.', 1),
      connect_timeout: durationSchema('How long one try may take.', 5),
      timeout: durationSchema('How long to wait in all.', '5m'),
      msg: { type: 'string', description: 'Said first when the time is up.' },
    },
  },
  examples: [
    { title: 'The API server of this host', yaml: 'wait-for: { port: 6443, timeout: 5m }' },
    {
      title: 'As a client sees it',
      yaml: 'wait-for: { url: "https://10.0.0.10/healthz", from: control, ca: files/ca.pem }',
    },
    { title: 'A line in a log', yaml: 'wait-for: { path: /var/log/app.log, search_regex: "^ready", timeout: 90 }' },
  ],
  kind: 'check',
  waits: { inCheck: 'unless-pending', what: (args) => describe(args) },
  returns: {
    type: 'object',
    properties: {
      elapsed_seconds: { type: 'number', description: 'How long it took.' },
      match: { type: 'string', description: 'What `search_regex` found; empty without it.' },
    },
  },
  check(args) {
    const given = ['port', 'path', 'url'].filter((name) => args[name] !== undefined);
    if (given.length !== 1)
      return `wait-for needs one of \`port\`, \`path\` and \`url\`${given.length > 1 ? ', not several' : ''}`;
    if (args.state === 'drained' && given[0] !== 'port') return '`drained` is for a `port`';
    if (args.search_regex !== undefined && given[0] === 'port') return '`search_regex` is for a `path` or `url`';
    if (typeof args.search_regex === 'string' && !args.search_regex.includes('{{')) {
      const complaint = badRegex(args.search_regex);
      if (complaint) return complaint;
    }
    return checkDurations(args, 'delay', 'interval', 'connect_timeout', 'timeout');
  },
  async plan(args, target) {
    const complaint = args.search_regex === undefined ? undefined : badRegex(args.search_regex);
    if (complaint) throw new TaskFailure(complaint, { code: 'bad-regex' });
    const look = await looker(args, target);
    const options = {
      what: describe(args),
      delay: durationOf(args.delay, 'delay'),
      interval: durationOf(args.interval, 'interval'),
      timeout: durationOf(args.timeout, 'timeout'),
    };
    try {
      const { found, elapsed } = await poll(target, options, look);
      return { changes: [], facts: { elapsed_seconds: elapsed / 1000, match: found.match } };
    } catch (error) {
      if (!(error instanceof TaskFailure) || error.code !== 'deadline' || args.msg === undefined) throw error;
      throw new TaskFailure(`${args.msg}: ${error.message}`, { code: error.code, facts: error.facts });
    }
  },
});

interface Args {
  port?: number;
  host?: string;
  path?: string;
  url?: string;
  state: 'started' | 'stopped' | 'present' | 'absent' | 'drained';
  search_regex?: string;
  status_code: number;
  validate_certs: boolean;
  ca?: string;
  from: From;
  connect_timeout: unknown;
}

interface Found {
  match: string;
}
type Look = (left: number) => Promise<Found | string>;

function badRegex(text: string): string | undefined {
  try {
    new RegExp(text, 'm');
    return undefined;
  } catch (error) {
    return `\`search_regex\`: ${(error as Error).message}`;
  }
}

function isGone(args: Args): boolean {
  return args.state === 'stopped' || args.state === 'absent';
}

function describe(args: Args): string {
  const thing =
    args.port !== undefined ? `port ${args.port}${args.host ? ` on ${args.host}` : ''}` : (args.path ?? args.url);
  if (args.state === 'drained') return `${thing} to have no connections`;
  if (args.search_regex !== undefined) return `${thing} ${isGone(args) ? 'not ' : ''}to hold /${args.search_regex}/`;
  return `${thing} to be ${isGone(args) ? 'gone' : 'there'}`;
}

/** What is done each time: a value when it is as wanted, else what was seen. */
async function looker(args: Args, target: ReadTarget): Promise<Look> {
  const once = durationOf(args.connect_timeout, 'connect_timeout');
  if (args.path !== undefined) return throughOutages(() => lookAtFile(args, args.path!, target));
  if (args.url !== undefined) {
    const ca = args.ca === undefined ? undefined : await certificates(target, args.from, args.ca);
    return throughOutages((left) => lookAtUrl(args, args.url!, ca, target, Math.min(once, Math.max(1000, left))));
  }
  return throughOutages((left) => lookAtPort(args, args.port!, target, Math.min(once, Math.max(1000, left))));
}

/** A host that cannot be reached for a while is part of what is waited for. */
function throughOutages(look: Look): Look {
  return async (left) => {
    try {
      return await look(left);
    } catch (error) {
      if (isUnreachable(error)) return error.message;
      throw error;
    }
  };
}

async function lookAtPort(args: Args, port: number, target: ReadTarget, timeout: number): Promise<Found | string> {
  if (args.state === 'drained') {
    const { stdout } = await target.read(connectionsScript(port));
    if (stdout.trim() === 'unknown')
      throw new TaskFailure('this host does not tell its connections', { code: 'no-probe' });
    return stdout.trim() === '0' ? { match: '' } : `${stdout.trim()} connections are left`;
  }
  const open = await isOpen(args, port, target, timeout);
  if (open !== isGone(args)) return { match: '' };
  return open ? 'it is open' : 'it is closed';
}

async function isOpen(args: Args, port: number, target: ReadTarget, timeout: number): Promise<boolean> {
  if (args.from === 'control') {
    if (!target.canConnect)
      throw new TaskFailure('the control machine cannot look at ports here', { code: 'no-probe' });
    return target.canConnect(args.host ?? target.host.address, port, timeout);
  }
  const seconds = Math.max(1, Math.ceil(timeout / 1000));
  const { stdout } = await target.read(portScript(args.host ?? '127.0.0.1', port, seconds));
  if (stdout.trim() !== 'unknown') return stdout.trim() === 'open';
  throw new TaskFailure('this host has nothing to look at a port with: no nc, no curl, no bash', {
    code: 'no-probe',
    hint: 'use `from: control`',
  });
}

async function lookAtFile(args: Args, path: string, target: ReadTarget): Promise<Found | string> {
  const file = quotePath(path);
  const absent = isGone(args);
  if (args.search_regex === undefined) {
    const { code } = await target.read(`[ -e ${file} ] || [ -L ${file} ]`);
    if ((code === 0) !== absent) return { match: '' };
    return absent ? 'it is still there' : 'it is not there';
  }
  const { stdout, code } = await target.read(`tail -c ${FILE_TAIL} <${file}`);
  if (code !== 0) return absent ? { match: '' } : 'it cannot be read';
  return matched(args, stdout);
}

async function lookAtUrl(
  args: Args,
  url: string,
  ca: string | undefined,
  target: ReadTarget,
  timeout: number,
): Promise<Found | string> {
  const absent = isGone(args);
  try {
    const what = { url, timeout, verify: args.validate_certs, ...(ca === undefined ? {} : { ca }) };
    const answer = await request(target, args.from, what);
    if (answer.status !== args.status_code) return absent ? { match: '' } : `it answers ${answer.status}`;
    if (args.search_regex !== undefined) return matched(args, answer.body.toString('utf8'));
    return absent ? `it answers ${answer.status}` : { match: '' };
  } catch (error) {
    if (!(error instanceof ReeveError) || error.code !== 'http-unreachable') throw error;
    return absent ? { match: '' } : error.message;
  }
}

function matched(args: Args, text: string): Found | string {
  const match = new RegExp(args.search_regex!, 'm').exec(text);
  if (isGone(args)) return match ? `it holds ${JSON.stringify(match[0].slice(0, 100))}` : { match: '' };
  return match ? { match: match[0] } : 'it does not hold it';
}
