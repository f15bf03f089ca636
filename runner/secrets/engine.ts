import { InvalidError } from '../errors.ts';
import type { Document, Sealed } from '../load/document.ts';
import { checkLookup, isCheap, lookUp } from './lookup.ts';
import { wholeFile } from './problem.ts';
import type { TaggedSecret } from './sealed-values.ts';
import type { SecretSources } from './session.ts';
import type { SopsDocuments } from './sops/documents.ts';
import { decryptVault, decryptVaultSync } from './vault/decrypt.ts';
import { type VaultPasswords, vaultPasswords } from './vault/passwords.ts';

/** Opens secrets; loaded when a command meets the first one. */
export class SecretEngine {
  readonly #passwords: VaultPasswords;
  readonly #learn: (value: unknown) => void;
  #sops: SopsDocuments | undefined;
  readonly #environment: SecretSources['environment'];
  readonly #revealed = new Map<string, unknown>();
  readonly #files = new Map<string, string>();

  constructor(sources: SecretSources, passwords: VaultPasswords, learn: (value: unknown) => void) {
    this.#passwords = passwords;
    this.#learn = learn;
    this.#environment = sources.environment;
  }

  /** @throws InvalidError that names the file and quotes nothing of it. */
  openVaultFile(text: string, file: string): string {
    const known = this.#files.get(text);
    if (known !== undefined) return known;
    const plain = decryptVaultSync(text, this.#passwords, wholeFile(file));
    this.#files.set(text, plain);
    return plain;
  }

  /** Gets the data keys of these SOPS files. @throws InvalidError with every file that has none for us. */
  async prepareSops(documents: readonly Document[]): Promise<void> {
    if (documents.length === 0) return;
    if (!this.#sops) {
      const { SopsDocuments } = await import('./sops/documents.ts');
      this.#sops = new SopsDocuments(this.#environment);
    }
    await this.#sops.prepare(documents);
  }

  /** The value of a SOPS document with what `seal` makes of its secrets; undefined when its key has not been prepared. */
  openSops(document: Document, seal: (value: unknown) => Sealed): unknown {
    return this.#sops?.open(document, seal);
  }

  /** @throws InvalidError with every value that cannot be opened. */
  async check(values: readonly TaggedSecret[]): Promise<void> {
    const problems = await Promise.all(values.map((value) => this.#problem(value)));
    const found = problems.filter((problem) => problem !== undefined);
    if (found.length > 0) throw new InvalidError(found.flatMap((error) => error.diagnostics));
  }

  reveal(secret: TaggedSecret): unknown {
    const id = identity(secret);
    if (!this.#revealed.has(id)) {
      const value =
        secret.kind === 'vault'
          ? decryptVaultSync(secret.text, this.#passwords, secret.place)
          : lookUp(secret.text, secret.place, this.#environment);
      this.#keep(id, value);
    }
    return this.#revealed.get(id);
  }

  async #problem(secret: TaggedSecret): Promise<InvalidError | undefined> {
    try {
      // What costs nothing is opened at once: then it is masked from the first word that the run says.
      if (secret.kind === 'lookup' && !isCheap(secret.text)) checkLookup(secret.text, secret.place);
      else if (secret.kind === 'lookup') this.reveal(secret);
      else if (!this.#revealed.has(identity(secret))) {
        this.#keep(identity(secret), await decryptVault(secret.text, this.#passwords, secret.place));
      }
      return undefined;
    } catch (error) {
      if (error instanceof InvalidError) return error;
      throw error;
    }
  }

  #keep(id: string, value: unknown): void {
    this.#learn(value);
    this.#revealed.set(id, value);
  }
}

/** The same lookup in two files is one, except that paths are relative to the file. */
function identity({ kind, text, place }: TaggedSecret): string {
  return kind === 'vault' ? text : `${place.file}\n${text}`;
}

/** Asks for the passwords that a person must type; everything else is read when it is needed. */
export async function createEngine(sources: SecretSources, learn: (value: unknown) => void): Promise<SecretEngine> {
  const passwords = await vaultPasswords(sources, learn);
  return new SecretEngine(sources, passwords, learn);
}
