import { EXIT, ReeveError } from '../errors.ts';
import { canAsk } from './ask.ts';

/**
 * How `confirm:` is answered: `--yes`, or a person. Without either it is a refusal with exit code 6: a run must never
 * wait for somebody who is not there.
 */
export function confirmer(
  yes: boolean,
  ask: (question: string) => Promise<string>,
): (question: string) => Promise<boolean> {
  return async (question) => {
    if (yes) return true;
    if (!canAsk()) {
      throw new ReeveError('refused', `this needs a yes: ${question}`, {
        hint: 'there is no terminal to ask on; add --yes when you mean it',
        exitCode: EXIT.refused,
      });
    }
    return /^y(es)?$/i.test((await ask(`${question} [y/N]`)).trim());
  };
}
