import { type Diagnostic, InvalidError, ReeveError } from '../errors.ts';
import { Masker } from '../journal/masker.ts';
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

/** Does something with secrets before there is a run that masks them: errors about it quote none of those known by then. */
export async function maskingErrors<T>(secrets: SecretSession, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const masker = new Masker();
    secrets.tellTo((value) => masker.add(value));
    if (error instanceof InvalidError)
      throw new InvalidError(error.diagnostics.map((one) => maskedDiagnostic(masker, one)));
    if (!(error instanceof ReeveError)) throw error;
    const { place, exitCode, related } = error;
    const hint = error.hint === undefined ? undefined : masker.text(error.hint);
    throw new ReeveError(error.code, masker.text(error.message), {
      place,
      hint,
      exitCode,
      ...(related ? { related } : {}),
    });
  }
}

function maskedDiagnostic(masker: Masker, diagnostic: Diagnostic): Diagnostic {
  const { message, hint, related } = diagnostic;
  return {
    ...diagnostic,
    message: masker.text(message),
    ...(hint === undefined ? {} : { hint: masker.text(hint) }),
    ...(related ? { related: related.map((one) => ({ ...one, message: masker.text(one.message) })) } : {}),
  };
}
