import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware, Prompt } from 'ssh2';
import { ReeveError } from '../../errors.ts';
import type { ConnectionsOptions } from '../options.ts';
import type { ConnectionSpec } from '../types.ts';
import type { SshEndpoint } from './config.ts';

const LOCKED = ' (not used: it is encrypted and no passphrase is known)';

/** The ways to log in, tried in order, and what was tried, for the message when none worked. */
export interface Authentication {
  handler: AuthHandlerMiddleware;
  /** «key ~/.ssh/id_ed25519», «key x: encrypted, no passphrase» … */
  tried: string[];
  /** Why it was given up: Ctrl-C at the question for a passphrase. */
  stopped?: unknown;
}

/**
 * A named key first (a server stops after six attempts, and an agent may hold more), then the agent, the other keys, and
 * the password by either method. Keys are read, and passphrases asked for, only when it is their turn.
 * A named key that cannot be read is thrown as ReeveError `key-unreadable` before connecting.
 */
export async function authentication(
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  options: ConnectionsOptions,
): Promise<Authentication> {
  const tried: string[] = [];
  if (spec.privateKeyFile) await readable(spec, endpoint.identityFiles[0]!);
  const methods = attempts(spec, endpoint, options, tried);
  const handler = (
    left: AuthenticationType[] | null,
    _partial: boolean | null,
    next: (method: never) => void,
  ): void => {
    nextOf(left).then(
      (method) => next(method as never),
      (error) => {
        login.stopped = error;
        next(false as never);
      },
    );
  };
  const nextOf = async (left: AuthenticationType[] | null): Promise<AnyAuthMethod | false> => {
    for (;;) {
      const { value, done } = await methods.next();
      if (done) return false;
      if (left === null || left.includes(serverName(value.type))) return value;
    }
  };
  const login: Authentication = { handler: handler as AuthHandlerMiddleware, tried };
  return login;
}

/** To the server an agent's key is a public key like any other. */
function serverName(type: AuthenticationType): AuthenticationType {
  return type === 'agent' ? 'publickey' : type;
}

async function* attempts(
  spec: ConnectionSpec,
  endpoint: SshEndpoint,
  options: ConnectionsOptions,
  tried: string[],
): AsyncGenerator<AnyAuthMethod> {
  const username = endpoint.user;
  const files = [...new Set(endpoint.identityFiles)];
  const named = spec.privateKeyFile ? files.splice(0, 1) : [];
  for (const file of named) yield* keyAttempt(file, spec, username, options, tried);
  if (!endpoint.identitiesOnly) yield* agentAttempt(endpoint, options, tried);
  for (const file of files) yield* keyAttempt(file, spec, username, options, tried);
  // An encrypted key without a passphrase is most likely the one that the agent holds.
  if (endpoint.identitiesOnly && tried.some((one) => one.endsWith(LOCKED)))
    yield* agentAttempt(endpoint, options, tried);
  if (spec.password === undefined) return;
  const { password } = spec;
  tried.push('the password');
  yield { type: 'password', username, password };
  yield { type: 'keyboard-interactive', username, prompt: answerWith(password) } as AnyAuthMethod;
}

async function* agentAttempt(
  endpoint: SshEndpoint,
  options: ConnectionsOptions,
  tried: string[],
): AsyncGenerator<AnyAuthMethod> {
  const agent = await agentSocket(endpoint, options);
  if (!agent) return;
  tried.push('the agent');
  yield { type: 'agent', username: endpoint.user, agent };
}

async function* keyAttempt(
  file: string,
  spec: ConnectionSpec,
  username: string,
  options: ConnectionsOptions,
  tried: string[],
): AsyncGenerator<AnyAuthMethod> {
  const key = await readFile(file, 'utf8').catch(() => undefined);
  if (key === undefined) return;
  if (!isEncrypted(key)) {
    tried.push(`the key ${file}`);
    yield { type: 'publickey', username, key };
    return;
  }
  const passphrase = spec.passphrase ?? (await options.askPassphrase?.(file));
  if (passphrase === undefined) {
    tried.push(`the key ${file}${LOCKED}`);
    return;
  }
  tried.push(`the key ${file} (with a passphrase)`);
  yield { type: 'publickey', username, key, passphrase };
}

/** Answers every hidden prompt with the password; a second round means that it was wrong, and gets no answer. */
function answerWith(password: string) {
  let rounds = 0;
  return (_n: string, _i: string, _l: string, prompts: Prompt[], finish: (answers: string[]) => void) => {
    if (prompts.length) rounds++;
    finish(rounds > 1 ? [] : prompts.map((prompt) => (prompt.echo ? '' : password)));
  };
}

async function readable(spec: ConnectionSpec, file: string): Promise<void> {
  try {
    await readFile(file);
  } catch (cause) {
    throw new ReeveError('key-unreadable', `${spec.host}: the private key ${file} cannot be read`, {
      cause,
      hint: (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'There is no such file.' : 'Check its owner and mode.',
      exitCode: 3,
    });
  }
}

/** OpenSSH's own format names the cipher right after its magic (PROTOCOL.key); PEM says it in words. */
export function isEncrypted(key: string): boolean {
  if (/ENCRYPTED/.test(key)) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(key)?.[1];
  if (!body) return false;
  const bytes = Buffer.from(body, 'base64');
  const start = 'openssh-key-v1\0'.length;
  const length = bytes.readUInt32BE(start);
  return bytes.subarray(start + 4, start + 4 + length).toString() !== 'none';
}

/** The agent's socket if somebody answers there: ssh2 takes a dead one for a failed connection. */
async function agentSocket(endpoint: SshEndpoint, options: ConnectionsOptions): Promise<string | undefined> {
  const named = endpoint.identityAgent === 'SSH_AUTH_SOCK' ? undefined : endpoint.identityAgent;
  const path = named ?? options.agent ?? process.env.SSH_AUTH_SOCK;
  if (!path || path === 'none') return undefined;
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(path);
    });
    socket.once('error', () => resolve(undefined));
  });
}
