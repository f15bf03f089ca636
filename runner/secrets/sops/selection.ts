import type { Place } from '../../errors.ts';
import { secretProblem } from '../problem.ts';
import type { SopsRules } from './metadata.ts';

/**
 * Tells which values are encrypted: by their keys (`path`, from the root, without the indexes of lists), or, where the
 * rule is about comments, by their looks, since a comment does not always stay with its value.
 */
export type Selection = (path: readonly string[], isEncrypted: () => boolean) => boolean;

/** As `shouldBeEncrypted` in getsops/sops (sops.go) decides. @throws InvalidError for a rule that is no regular expression. */
export function selection(rules: SopsRules, place: Place): Selection {
  const has = (pattern: RegExp) => (path: readonly string[]) => path.some((key) => pattern.test(key));
  const { unencrypted_suffix: plainSuffix, encrypted_suffix: suffix } = rules;
  if (rules.encrypted_comment_regex !== undefined || rules.unencrypted_comment_regex !== undefined) {
    if (!rules.mac_only_encrypted) return (_path, isEncrypted) => isEncrypted();
    const message = 'a rule about comments together with `mac_only_encrypted` cannot be verified here';
    throw secretProblem('sops-rule', message, place, 'select values by their keys: encrypted_regex');
  }
  if (rules.encrypted_regex !== undefined) return has(pattern(rules.encrypted_regex, place));
  if (rules.unencrypted_regex !== undefined) {
    const plain = has(pattern(rules.unencrypted_regex, place));
    return (path) => !plain(path);
  }
  if (suffix !== undefined) return (path) => path.some((key) => key.endsWith(suffix));
  if (plainSuffix !== undefined) return (path) => !path.some((key) => key.endsWith(plainSuffix));
  return () => true;
}

/** Go writes flags at the beginning of an expression. */
function pattern(source: string, place: Place): RegExp {
  const [, flags = '', rest = source] = /^\(\?([ims]+)\)(.*)$/s.exec(source) ?? [];
  try {
    return new RegExp(rest, flags);
  } catch {
    throw secretProblem('sops-rule', `/${source}/ is no regular expression that reeve understands`, place);
  }
}
