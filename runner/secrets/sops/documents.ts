import { type Diagnostic, InvalidError } from '../../errors.ts';
import type { Document } from '../../load/document.ts';
import { unwrapDataKey } from './data-key.ts';
import { type AgeIdentities, ageIdentities } from './identities.ts';
import { readMetadata } from './metadata.ts';
import { metadataOf, openSopsDocument, SOPS_KEY } from './open.ts';

/**
 * SOPS files among what is loaded. Their data keys are got before they are opened, since age works asynchronously and
 * loading does not.
 */
export class SopsDocuments {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #keys = new Map<string, Buffer>();
  #identities: AgeIdentities | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  /** @throws InvalidError with every document that none of our keys opens. */
  async prepare(documents: readonly Document[]): Promise<void> {
    this.#identities ??= ageIdentities(this.#environment);
    const problems: Diagnostic[] = [];
    for (const document of documents) {
      try {
        const place = document.place([SOPS_KEY], 'key');
        this.#keys.set(
          document.text,
          await unwrapDataKey(readMetadata(metadataOf(document.value), place), this.#identities, place),
        );
      } catch (error) {
        if (!(error instanceof InvalidError)) throw error;
        problems.push(...error.diagnostics);
      }
    }
    if (problems.length > 0) throw new InvalidError(problems);
  }

  /** The values, with what `seal` makes of the secrets; undefined when it has not been prepared. @throws InvalidError */
  open(document: Document, seal: (value: unknown) => unknown): Record<string, unknown> | undefined {
    const key = this.#keys.get(document.text);
    return key && openSopsDocument(document, key, seal);
  }
}
