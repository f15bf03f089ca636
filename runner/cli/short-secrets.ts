import { MIN_SECRET_LENGTH } from '../journal/secret-forms.ts';
import { printDiagnostics } from './diagnostics.ts';

const MESSAGE = `a secret has fewer than ${MIN_SECRET_LENGTH} characters and is not masked: output and journal may show it`;

/** Warns once of secrets that are too short to be masked: before the run when they are known by then. */
export class ShortSecrets {
  #isFound = false;
  #isTold = false;
  #tell: ((message: string) => void) | undefined;

  found(): void {
    this.#isFound = true;
    if (this.#tell) this.#warn(this.#tell);
  }

  /** The run begins: what is found from now on is an event of it. */
  tellTo(tell: (message: string) => void): void {
    if (this.#isFound)
      this.#warn((message) => printDiagnostics([{ code: 'short-secret', severity: 'warning', message }]));
    this.#tell = tell;
  }

  #warn(tell: (message: string) => void): void {
    if (this.#isTold) return;
    this.#isTold = true;
    tell(MESSAGE);
  }
}
