import { SecretSession } from '../secrets/session.ts';
import { canAsk } from './ask.ts';
import { texts } from './options.ts';
import { Person } from './person.ts';

/** The secrets of a command, with the passwords that the command line and the environment name. */
export function openSecrets(options: Record<string, unknown>): SecretSession {
  const asked = options.askVaultPass === true ? ['prompt'] : [];
  return new SecretSession({
    vaultIds: [...texts(options.vaultId), ...texts(options.vaultPasswordFile), ...asked],
    environment: process.env,
    ask: canAsk() ? (question) => new Person().ask(question, true) : undefined,
  });
}
