import { ReeveError, UnreachableError } from '../../errors.ts';
import { greet } from '../greet.ts';
import { type ShellContext, StreamShell } from '../shell.ts';
import { becomeArgv, type StartMarks, startCommand } from '../start.ts';
import type { Become, ConnectionSpec, Shell, Transport } from '../types.ts';

export interface PctStart {
  spec: ConnectionSpec;
  become: Become | undefined;
  /** The Proxmox node's. */
  transport: Transport;
  context: ShellContext;
  marks: StartMarks;
  /** What is to run in the container. */
  argv: string[];
  /** milliseconds */
  timeout: number;
}

/** Which nodes have a `pct` too old for `--keep-env`; asked by trying. */
const withoutKeepEnv = new WeakSet<Transport>();

/**
 * Opens a shell in a container through its node: `pct exec` hands its arguments to lxc-attach as they are, so only the
 * node's login shell needs quoting. `--keep-env 0` keeps the node's environment out of the container.
 */
export async function openPct(start: PctStart): Promise<Shell> {
  const { spec, transport } = start;
  if (spec.vmid === undefined) {
    throw new ReeveError('bad-connection', `${spec.host}: a pct connection needs the number of the container`, {
      hint: 'Set the variable `vmid`.',
      exitCode: 4,
    });
  }
  const keepEnv = !withoutKeepEnv.has(transport);
  try {
    return await attempt(start, keepEnv);
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    if (keepEnv && /unknown option:? keep-env/i.test(text)) {
      withoutKeepEnv.add(transport);
      return attempt(start, false);
    }
    throw explain(spec, text, error);
  }
}

async function attempt(start: PctStart, keepEnv: boolean): Promise<Shell> {
  const { spec, become, transport, context, marks, timeout } = start;
  let argv = ['pct', 'exec', String(spec.vmid), ...(keepEnv ? ['--keep-env', '0'] : []), '--', ...start.argv];
  if (spec.nodeBecome) argv = becomeArgv(spec.nodeBecome, argv, marks.prompt);
  const stream = await transport.open(startCommand(argv));
  const greeting = greet(stream, spec.host, marks, asking(spec, become), timeout);
  const shell = new StreamShell(stream, greeting, context);
  await greeting.pid;
  return shell;
}

/** Whose password may be asked for on the way in. */
function asking(spec: ConnectionSpec, become: Become | undefined): Become | undefined {
  if (become?.password !== undefined && spec.nodeBecome?.password !== undefined) {
    throw new ReeveError(
      'bad-connection',
      `${spec.host}: one become password too many: the node's and the container's`,
      {
        hint: 'pct exec is root in the container already; leave out the become password of the container.',
        exitCode: 4,
      },
    );
  }
  return become?.password === undefined ? (spec.nodeBecome ?? become) : become;
}

/** Sentences for what pct says; its texts are in PVE/CLI/pct.pm and PVE/LXC/Config.pm. */
function explain(spec: ConnectionSpec, text: string, cause: unknown): unknown {
  const node = spec.node?.host ?? 'the node';
  if (/not running/i.test(text)) {
    return new UnreachableError(`${spec.host}: container ${spec.vmid} is not running on ${node}`, {
      cause,
      hint: `On ${node}: pct status ${spec.vmid}; pct start ${spec.vmid}`,
    });
  }
  if (/lxc\/\d+\.conf.*does not exist|no such container/i.test(text)) {
    return new UnreachableError(`${spec.host}: there is no container ${spec.vmid} on ${node}`, {
      cause,
      hint: `It may have moved to another node: pct list on each, or pct status ${spec.vmid}; then set pct_node.`,
    });
  }
  if (/pct: (command )?not found|pct.*(?:No such file|Permission denied)|unknown command: pct/i.test(text)) {
    return new UnreachableError(
      `${spec.host}: ${node} has no pct, or not for this user: it is no Proxmox node, or its PATH lacks /usr/sbin`,
      {
        cause,
        hint: `Check that ${node} is the Proxmox node and that its user may run pct (root).`,
      },
    );
  }
  return cause;
}
