/** What command, shell and script have in common: guards, running, and the facts of a run. */
import {
  type Plan,
  type ReadTarget,
  type RunOptions,
  type RunResult,
  TaskFailure,
  type WriteTarget,
} from '../../runner/module.ts';
import { foreseenPath } from './foresee.ts';
import { quoteGlob, quotePath } from './quote.ts';

/** Why none of them has an undo. */
export const NO_UNDO = 'what a command has done is not known: `rollback:` tasks of the play can take it back';

export const guardArguments = {
  creates: {
    type: 'string',
    description: 'Path on the target (or a pattern with * ? [ ]); when it exists the command is not run.',
  },
  removes: {
    type: 'string',
    description: 'Path on the target (or a pattern with * ? [ ]); when it does not exist the command is not run.',
  },
} as const;

export const runArguments = {
  chdir: { type: 'string', description: 'Directory on the target to run in.' },
  stdin: { type: 'string', description: 'Text for the standard input; default: empty.' },
  env: {
    type: 'object',
    additionalProperties: { type: 'string' },
    description: "Variables for the command, on top of the task's environment.",
  },
  reads: {
    type: 'boolean',
    default: false,
    description:
      'The command changes nothing: it runs while planning, in check mode too, and never counts as a change.',
  },
} as const;

/** Whether a command is declared to change nothing. */
export const onlyReads = ({ reads }: Record<string, unknown>): boolean => reads === true;

export const runFactsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    cmd: { type: 'string', description: 'What was run, or would have been.' },
    ran: { type: 'boolean', description: 'False when creates or removes made it unnecessary.' },
    code: { type: 'integer', description: 'Exit code; 128 + signal when a signal ended it; 0 when it did not run.' },
    stdout: { type: 'string', description: 'Standard output without the line ends at its end.' },
    stderr: { type: 'string', description: 'Standard error without the line ends at its end.' },
    stdout_lines: { type: 'array', items: { type: 'string' }, description: 'Standard output, line by line.' },
    stderr_lines: { type: 'array', items: { type: 'string' }, description: 'Standard error, line by line.' },
  },
} as const;

/** One command that a user chose. */
export interface Execution {
  /** Script for the target's sh. */
  script: string;
  /** The command as a person reads it. */
  display: string;
  stdin?: Uint8Array | string;
  env?: Record<string, string>;
  chdir?: string;
}

export interface ExecutionGuard {
  creates?: string;
  removes?: string;
  chdir?: string;
  reads?: boolean;
}

/** Plans a run: guards first (one round trip, only when there are any); a command that only reads runs here. */
export async function planExecution(
  execution: Execution,
  guard: ExecutionGuard,
  target: ReadTarget,
): Promise<Plan<Execution>> {
  const reason = await guardReason(guard, target);
  if (reason !== undefined) return { changes: [], facts: runFacts(execution, undefined), message: reason };
  if (guard.reads) {
    const result = await target.read(execution.script, runOptions(execution));
    return { changes: [], facts: judged(execution, result) };
  }
  return {
    changes: [{ summary: `run ${oneLine(execution.display)}` }],
    predicted: { cmd: execution.display, ran: true },
    next: execution,
  };
}

/** Runs it. @throws TaskFailure with the output's last lines and all facts when the exit code is not 0. */
export async function applyExecution(
  execution: Execution,
  target: WriteTarget,
): Promise<{ facts: ReturnType<typeof runFacts> }> {
  return { facts: judged(execution, await target.run(execution.script, runOptions(execution))) };
}

function runOptions(execution: Execution): RunOptions {
  return {
    isolated: true,
    ...(execution.stdin !== undefined && { stdin: execution.stdin }),
    ...(execution.env && { env: execution.env }),
    ...(execution.chdir !== undefined && { cwd: execution.chdir }),
  };
}

async function guardReason(guard: ExecutionGuard, target: ReadTarget): Promise<string | undefined> {
  let { creates, removes } = guard;
  const foreseen = (path: string | undefined) => (path === undefined ? undefined : foreseenPath(target, path)?.type);
  if (foreseen(creates) === 'absent') creates = undefined;
  else if (foreseen(creates)) return `${creates} will exist`;
  if (foreseen(removes) === 'absent') return `${removes} will not exist`;
  if (foreseen(removes)) removes = undefined;
  if (creates === undefined && removes === undefined) return undefined;
  const exists = (pattern: string) =>
    `for p in ${quoteGlob(pattern)}; do if [ -e "$p" ] || [ -L "$p" ]; then found=y; fi; done`;
  const script = [
    ...(guard.chdir === undefined ? [] : [`cd ${quotePath(guard.chdir)} 2>/dev/null`]),
    ...(creates === undefined ? [] : ['found=', exists(creates), 'if [ "$found" ]; then exit 10; fi']),
    ...(removes === undefined ? [] : ['found=', exists(removes), 'if [ -z "$found" ]; then exit 11; fi']),
    'exit 0',
  ];
  const { code, stderr } = await target.read(script.join('\n'));
  if (code === 10) return `${creates} exists`;
  if (code === 11) return `${removes} does not exist`;
  if (code !== 0) throw new TaskFailure(`creates/removes could not be checked: ${stderr.trim()}`);
  return undefined;
}

function runFacts(execution: Execution, result: RunResult | undefined) {
  const stdout = (result?.stdout ?? '').replace(/[\r\n]+$/, '');
  const stderr = (result?.stderr ?? '').replace(/[\r\n]+$/, '');
  return {
    cmd: execution.display,
    ran: result !== undefined,
    code: result?.code ?? 0,
    stdout,
    stderr,
    stdout_lines: linesOf(stdout),
    stderr_lines: linesOf(stderr),
  };
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/\r?\n/);
}

function judged(execution: Execution, result: RunResult): ReturnType<typeof runFacts> {
  const facts = runFacts(execution, result);
  const what = oneLine(execution.display);
  if (result.timedOut) {
    throw new TaskFailure(`${what}: ended at its time limit`, {
      facts,
      code: 'timed-out',
      hint: 'raise `timeout` of the task',
    });
  }
  if (result.code === 0) return facts;
  const said = (facts.stderr_lines.length > 0 ? facts.stderr_lines : facts.stdout_lines).slice(-10);
  const missing = result.code === 127 ? ' (no such program)' : '';
  throw new TaskFailure([`${what}: exit code ${result.code}${missing}`, ...said].join('\n'), {
    facts,
    code: 'command-failed',
  });
}

/** At most 100 characters of the first line. */
function oneLine(text: string): string {
  const [first = '', ...others] = text.trim().split('\n');
  return first.length > 100 || others.length > 0 ? `${first.slice(0, 100)}…` : first;
}
