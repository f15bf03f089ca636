import { type Creation, creationFor, splitRecipients } from '../../secrets/sops/creation-rules.ts';
import { texts } from '../options.ts';

/** For whom a file is encrypted: --age, else SOPS_AGE_RECIPIENTS, else the rule of `.sops.yaml`. */
export function recipientsFor(file: string, options: Record<string, unknown>): Creation {
  const given = splitRecipients(texts(options.age));
  const named = given.length > 0 ? given : splitRecipients(process.env.SOPS_AGE_RECIPIENTS);
  const creation = creationFor(file);
  return named.length > 0 ? { ...creation, recipients: named } : creation;
}
