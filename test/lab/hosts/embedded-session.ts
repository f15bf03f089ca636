import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { ServerChannel, Session } from 'ssh2';
import type { PipeMaker } from './pipes.ts';

/** How to start a command on the host; `command` is undefined for a login shell. */
export type Launch = (command: string | undefined) => { argv: string[]; env: Record<string, string>; cwd: string };

export interface SessionHooks {
  launch: Launch;
  pipes: PipeMaker;
  onCommand: (command: string) => void;
  onEnd: () => void;
  /** Fires when the connection below is gone. */
  disconnected: AbortSignal;
}

/**
 * Answers the requests of one session channel as sshd does: exec and shell run a real shell, the exit status goes out when
 * the process ends, the channel closes when its output has ended too (a process in the background that holds the output
 * holds the channel). A closed channel closes the pipes and kills nobody. There are no terminals.
 */
export function serveSession(session: Session, hooks: SessionHooks): void {
  const accepted: Record<string, string> = {};
  let child: ChildProcess | undefined;
  session.on('pty', (_accept, reject) => reject?.());
  session.on('env', (accept, reject, info) => {
    // What stock sshd_config has: AcceptEnv LANG LC_*.
    if (!/^(LANG|LC_.*)$/.test(info.key)) return reject?.();
    accepted[info.key] = info.val;
    accept?.();
  });
  session.on('signal', (accept, _reject, info) => {
    if (child?.pid) signalGroup(child.pid, info.name);
    accept?.();
  });
  const run = (channel: ServerChannel, command: string | undefined) => {
    const { argv, env, cwd } = hooks.launch(command);
    child = start(channel, { argv, env: { ...env, ...accepted }, cwd }, hooks);
  };
  session.on('exec', (accept, _reject, info) => {
    hooks.onCommand(info.command);
    run(accept(), info.command);
  });
  session.on('shell', (accept) => run(accept(), undefined));
}

function start(channel: ServerChannel, { argv, env, cwd }: ReturnType<Launch>, hooks: SessionHooks): ChildProcess {
  const pipes = [hooks.pipes.toChild(), hooks.pipes.fromChild(), hooks.pipes.fromChild()] as const;
  const [stdin, stdout, stderr] = [pipes[0].own, pipes[1].own, pipes[2].own];
  // detached: sshd too puts a command into a session of its own.
  const child = spawn(argv[0]!, argv.slice(1), { env, cwd, detached: true, stdio: pipes.map((pipe) => pipe.theirs) });
  for (const pipe of pipes) closeSync(pipe.theirs);
  let open = 3;
  const ended = () => {
    open--;
    // Sends what still waits for the channel's window, then end and close.
    if (open === 0) channel.end();
  };
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  stdout.on('end', ended);
  stderr.pipe(channel.stderr).on('finish', ended);
  child.on('exit', (code, signal) => {
    sendExit(channel, code, signal);
    ended();
  });
  child.on('error', () => channel.close());
  for (const stream of [stdin, stdout, stderr, channel, channel.stderr]) stream.on('error', () => {});
  // What the client sends to a process that no longer reads goes nowhere.
  stdin.on('close', () => channel.resume());
  onClose(channel, hooks.disconnected, () => {
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    hooks.onEnd();
  });
  return child;
}

/**
 * The channel's own close event waits until its input was read, which a process that does not read never lets happen; ssh2
 * calls close() itself when the client closed, so that is the place to learn of it.
 */
function onClose(channel: ServerChannel, disconnected: AbortSignal, act: () => void): void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    act();
  };
  const close = channel.close.bind(channel);
  channel.close = () => {
    close();
    once();
  };
  disconnected.addEventListener('abort', once, { once: true });
}

function sendExit(channel: ServerChannel, code: number | null, signal: NodeJS.Signals | null): void {
  if (signal) channel.exit(signal.replace(/^SIG/, ''), false, '');
  else channel.exit(code ?? 255);
}

function signalGroup(pid: number, name: string): void {
  const number = constants.signals[`SIG${name.replace(/^SIG/, '')}` as NodeJS.Signals];
  if (number === undefined) return;
  try {
    process.kill(-pid, number);
  } catch {
    // It ended by itself.
  }
}
