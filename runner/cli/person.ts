import type { ConnectionsOptions, HostKeyQuestion } from '../connect/options.ts';
import { EXIT, ReeveError } from '../errors.ts';
import { ask, canAsk } from './ask.ts';

/** Gives the terminal to a question while a reporter draws on it. */
export type Apart = <T>(work: () => Promise<T>) => Promise<T>;

/** Whoever sits at the terminal, if somebody does. Questions of tasks that run at the same time come one by one. */
export class Person {
  readonly #apart: Apart;
  readonly #passphrases = new Map<string, Promise<string>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(apart: Apart = (work) => work()) {
    this.#apart = apart;
  }

  ask(question: string, secret = false): Promise<string> {
    const answer = this.#last.then(() => this.#apart(() => ask(question, secret)));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async agrees(question: string): Promise<boolean> {
    return /^y(es)?$/i.test((await this.ask(`${question} [y/N]`)).trim());
  }

  /**
   * Answers a `confirm:`: with `--yes`, or by asking. Without either it is a refusal with exit code 6: a run must never
   * wait for somebody who is not there.
   */
  confirmer(yes: boolean): (question: string) => Promise<boolean> {
    return async (question) => {
      if (yes) return true;
      if (canAsk()) return this.agrees(question);
      throw new ReeveError('refused', `this needs a yes: ${question}`, {
        hint: 'there is no terminal to ask on; add --yes when you mean it',
        exitCode: EXIT.refused,
      });
    };
  }

  /** How connections ask; nothing where nobody is there. */
  connectionQuestions(): Pick<ConnectionsOptions, 'askHostKey' | 'askPassphrase'> {
    if (!canAsk()) return {};
    return {
      askHostKey: (question) => this.agrees(hostKeyText(question)),
      askPassphrase: (keyFile) => this.#passphrase(keyFile),
    };
  }

  /** Hosts that share a key share the answer. */
  #passphrase(keyFile: string): Promise<string> {
    let answer = this.#passphrases.get(keyFile);
    if (!answer) {
      answer = this.ask(`Passphrase of ${keyFile}:`, true);
      this.#passphrases.set(keyFile, answer);
    }
    return answer;
  }
}

function hostKeyText({ host, address, port, keyType, fingerprint }: HostKeyQuestion): string {
  const where = port === 22 ? address : `${address} port ${port}`;
  const who = host === address ? where : `${host} (${where})`;
  return `The key of ${who} is not known yet.\n${keyType} ${fingerprint}\nTrust it from now on?`;
}
