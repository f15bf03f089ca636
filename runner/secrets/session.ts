import { EXIT, InvalidError, type Place, ReeveError } from '../errors.ts';
import { type Document, Raw, Sealed } from '../load/document.ts';
import type { Opener } from '../load/opener.ts';
import type { SecretEngine } from './engine.ts';
import { secretProblem } from './problem.ts';
import { DecryptedSecret, type SealedKind, TaggedSecret } from './sealed-values.ts';

/** Where passwords and keys come from. */
export interface SecretSources {
  /** `ID@SOURCE` or `SOURCE`, as given by --vault-id, in order. */
  vaultIds: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  /** Asks a person for a password; undefined when nobody is there. */
  ask: ((question: string) => Promise<string>) | undefined;
}

/**
 * The secrets of one command. Loading is synchronous and keys are not, so loading is tried: what it meets that is
 * encrypted is noted, opened, and loaded once more. A command that meets nothing encrypted loads none of the code for it.
 */
export class SecretSession implements Opener {
  readonly tags: Opener['tags'];
  readonly #sources: SecretSources;
  readonly #known: unknown[] = [];
  readonly #listeners: ((value: unknown) => void)[] = [];
  #engine: SecretEngine | undefined;
  #needsEngine = false;
  #isClosed = false;
  #waiting: Document[] = [];
  #values: TaggedSecret[] = [];

  constructor(sources: SecretSources) {
    this.#sources = sources;
    const vault = this.#tag('vault');
    this.tags = { '!vault': vault, '!vault-encrypted': vault, '!secret': this.#tag('lookup') };
  }

  /** Tells `learn` every secret known so far and every later one, before anything can show it. */
  tellTo(learn: (value: unknown) => void): void {
    for (const value of this.#known) learn(value);
    this.#listeners.push(learn);
  }

  /** Marks a value as secret: a mapping or list with everything in it. */
  learn(value: unknown): void {
    this.#known.push(value);
    for (const listener of this.#listeners) listener(value);
  }

  /** For commands that show what is written: files are decrypted, and values in them stay closed. */
  keepClosed(): void {
    this.#isClosed = true;
  }

  /**
   * Loads something with everything encrypted in it opened. `load` hands this session to what it loads, and may be
   * called several times.
   * @throws InvalidError for a wrong password, a missing key, a damaged file; whatever `load` throws.
   */
  async load<T>(load: () => T | Promise<T>): Promise<T> {
    for (;;) {
      const before = this.#values.length;
      const attempt = await Promise.resolve()
        .then(load)
        .then(
          (value) => () => value,
          (error: unknown) => () => {
            throw error;
          },
        );
      if (!(await this.#supply())) return attempt();
      // What the discarded attempt made is made again.
      this.#values.length = before;
    }
  }

  /**
   * Decrypts every `!vault` value that was loaded, and makes sure that the lookups can be made. Called before a run
   * begins, so that a wrong password does not stop it half way.
   * @throws InvalidError with everything that cannot be opened.
   */
  async check(): Promise<void> {
    const values = this.#values;
    this.#values = [];
    await this.#engine?.check(values);
  }

  openText(text: string, file: string): string | undefined {
    if (!text.startsWith('$ANSIBLE_VAULT;')) return undefined;
    if (this.#engine) return this.#engine.openVaultFile(text, file);
    this.#needsEngine = true;
    return '';
  }

  parseOpened(text: string, file: string, parse: () => Document): Document {
    const document = withoutQuotes(file, parse);
    this.learn(withoutTemplates(document.value));
    // Whoever keeps a copy of the file keeps what is on the disk.
    return { ...copyOf(document), text };
  }

  openDocument(document: Document): Document {
    if (!isSops(document.value)) return document;
    const opened = this.#engine?.openSops(document, (value) => this.#sealed(value));
    if (opened === undefined) {
      this.#needsEngine = true;
      this.#waiting.push(document);
    }
    return { ...copyOf(document), value: opened ?? {} };
  }

  seal(value: unknown): unknown {
    if (typeof value === 'number' || (typeof value === 'string' && !/\{\{|\{%/.test(value))) return this.#sealed(value);
    if (Array.isArray(value)) return value.map((item) => this.seal(item));
    if (value === null || typeof value !== 'object' || value instanceof Sealed || value instanceof Raw) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.seal(item)]));
  }

  #tag(kind: SealedKind): (text: string, place: Place) => TaggedSecret {
    return (text, place) => {
      if (!this.#engine) this.#needsEngine = true;
      const secret = new TaggedSecret(kind, text, place, (one) => this.#reveal(one));
      this.#values.push(secret);
      return secret;
    };
  }

  #sealed(value: unknown): Sealed {
    this.learn(value);
    return new DecryptedSecret(() => {
      if (this.#isClosed) throw closed();
      return value;
    });
  }

  #reveal(secret: TaggedSecret): unknown {
    if (!this.#engine || this.#isClosed) throw closed(secret.place);
    return this.#engine.reveal(secret);
  }

  /** Gets what the last attempt at loading lacked; false when it lacked nothing. */
  async #supply(): Promise<boolean> {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (!this.#needsEngine) return false;
    this.#needsEngine = false;
    if (!this.#engine) {
      const { createEngine } = await import('./engine.ts');
      this.#engine = await createEngine(this.#sources, (value) => this.learn(value));
    }
    await this.#engine.prepareSops(waiting);
    return true;
  }
}

function closed(place?: Place): ReeveError {
  return new ReeveError('secret-closed', 'a secret, which is opened in a run only', { place, exitCode: EXIT.invalid });
}

/** SOPS keeps what it needs under the key `sops`. */
function isSops(value: unknown): boolean {
  if (value === null || typeof value !== 'object' || !('sops' in value)) return false;
  const { sops } = value;
  return sops !== null && typeof sops === 'object' && ('mac' in sops || 'lastmodified' in sops || 'version' in sops);
}

function copyOf(document: Document): Document {
  return {
    file: document.file,
    text: document.text,
    value: document.value,
    place: (path, of) => document.place(path, of),
    textPlace: (path) => document.textPlace(path),
  };
}

/** What the parser says about a text can quote it; of a decrypted text only the line is told. */
function withoutQuotes(file: string, parse: () => Document): Document {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error;
    const first = error instanceof InvalidError ? error.diagnostics[0] : error;
    const where = first?.place ? ` in line ${first.place.line}` : '';
    throw secretProblem(
      'decrypted-invalid',
      `what is encrypted in this file is no valid YAML (${first?.code ?? 'invalid'}${where} of the decrypted text)`,
      { file, line: 1, column: 1 },
      `look at it with: ansible-vault view ${file}`,
    );
  }
}

/** A text with a template is masked part by part: what it becomes is known only when it is rendered. */
function withoutTemplates(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('{{') ? value.split(/\{\{.*?\}\}/s) : value;
  if (Array.isArray(value)) return value.map(withoutTemplates);
  if (value === null || typeof value !== 'object') return value;
  // A sealed value in it is learned when it is opened.
  if (value instanceof TaggedSecret || value instanceof DecryptedSecret) return undefined;
  return Object.values(value).map(withoutTemplates);
}
