import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, extname, resolve } from 'node:path';
import { EXIT, ReeveError } from '../../errors.ts';
import { runSecretCommand } from '../command.ts';
import { secretProblem, wholeFile } from '../problem.ts';
import type { SecretSources } from '../session.ts';

export interface VaultPassword {
  /** For people: the id, and what gave the password. */
  label: string;
  id: string;
  password: string;
}

interface Source {
  id: string;
  label: string;
  read: () => string;
}

const DEFAULT_ID = 'default';
const PROMPTS = new Set(['prompt', 'prompt_ask_vault_pass']);

/** The passwords of a command, each read once, when it is first needed. */
export class VaultPasswords {
  readonly #sources: readonly Source[];
  readonly #read = new Map<Source, VaultPassword>();
  readonly #learn: (value: unknown) => void;

  constructor(sources: readonly Source[], learn: (value: unknown) => void) {
    this.#sources = sources;
    this.#learn = learn;
  }

  /** Every password, those of `id` first. @throws InvalidError when one cannot be read. */
  inOrder(id: string | undefined): VaultPassword[] {
    const fitting = this.#sources.filter((source) => source.id === id);
    return [...fitting, ...this.#sources.filter((source) => source.id !== id)].map((source) => this.#password(source));
  }

  #password(source: Source): VaultPassword {
    let known = this.#read.get(source);
    if (!known) {
      known = { id: source.id, label: source.label, password: source.read() };
      this.#learn(known.password);
      this.#read.set(source, known);
    }
    return known;
  }
}

/**
 * The passwords that the command line and the environment (ANSIBLE_VAULT_IDENTITY_LIST, ANSIBLE_VAULT_PASSWORD_FILE)
 * name: `ID@SOURCE` or `SOURCE`, which is `prompt`, a file, or an executable that prints it (one whose name ends in
 * `-client` gets `--vault-id ID`). Prompts are asked here.
 */
export async function vaultPasswords(sources: SecretSources, learn: (value: unknown) => void): Promise<VaultPasswords> {
  const { environment } = sources;
  const listed = (environment.ANSIBLE_VAULT_IDENTITY_LIST ?? '').split(',').map((one) => one.trim());
  const written = [...sources.vaultIds, ...listed, environment.ANSIBLE_VAULT_PASSWORD_FILE ?? ''];
  const found: Source[] = [];
  for (const text of written.filter((one) => one !== '')) found.push(await sourceOf(text, sources));
  return new VaultPasswords(found, learn);
}

async function sourceOf(text: string, { ask }: SecretSources): Promise<Source> {
  const at = text.indexOf('@');
  const id = at > 0 ? text.slice(0, at) : DEFAULT_ID;
  const from = at >= 0 ? text.slice(at + 1) : text;
  if (!PROMPTS.has(from)) return { id, label: `${id} (${from})`, read: () => fromFile(id, from) };
  if (!ask) {
    throw new ReeveError(
      'vault-password-missing',
      `the vault password of ${id} must be typed and there is no terminal`,
      {
        hint: `give it with --vault-id ${id}@FILE`,
        exitCode: EXIT.invalid,
      },
    );
  }
  const password = await ask(`Vault password (${id}):`);
  if (password === '')
    throw new ReeveError('vault-password-empty', 'a vault password cannot be empty', { exitCode: EXIT.invalid });
  return { id, label: `${id} (typed)`, read: () => password };
}

function fromFile(id: string, written: string): string {
  const file = written.startsWith('~/') ? resolve(homedir(), written.slice(2)) : resolve(written);
  const info = statSync(file, { throwIfNoEntry: false });
  if (!info?.isFile()) {
    const hint = 'it is the FILE of --vault-id ID@FILE or of ANSIBLE_VAULT_PASSWORD_FILE';
    throw secretProblem(
      'vault-password-missing',
      'there is no such file with a vault password',
      wholeFile(written),
      hint,
    );
  }
  // As Ansible does: blanks at the ends of what a script prints belong to the password, those of a file do not.
  const password = isExecutable(file)
    ? fromScript(id, file, written).replace(/^[\r\n]+|[\r\n]+$/g, '')
    : readFileSync(file, 'utf8').trim();
  if (password === '')
    throw secretProblem('vault-password-empty', 'it gives an empty vault password', wholeFile(written));
  return password;
}

function fromScript(id: string, file: string, written: string): string {
  const isClient = basename(file, extname(file)).endsWith('-client');
  const done = runSecretCommand([file, ...(isClient ? ['--vault-id', id] : [])], process.cwd());
  if ('output' in done) return done.output;
  throw secretProblem('vault-password-script', `it should print a vault password: ${done.problem}`, wholeFile(written));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return (statSync(file).mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
