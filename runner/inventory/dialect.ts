import { type Diagnostic, InvalidError } from '../errors.ts';
import { type Decrypt, Vaulted } from '../language/vaulted.ts';
import { type Document, Raw } from '../load/document.ts';
import { parseJsonDocument } from '../load/json-document.ts';
import { type LoadOptions, parseDocument } from '../load/parse.ts';
import { readText } from '../load/read-text.ts';
import { parseSimpleYaml } from '../load/simple-yaml.ts';

/** `reeve: 1` at the top of a file says that it is in reeve's dialect; everything else is Ansible's. */
export type Dialect = 'reeve' | 'ansible';

const REEVE_MARK = /^(?:"reeve"|'reeve'|reeve)\s*:/m;
const VAULT_HEADER = '$ANSIBLE_VAULT;';

export interface ReadOptions {
  /** The dialect of a file that does not say. */
  fallback: Dialect;
  decrypt?: Decrypt | undefined;
  /** Gets what Ansible accepts and what is worth a word. */
  warn?: (warning: Diagnostic) => void;
}

/** True when a text says that it is in reeve's dialect. */
export function saysReeve(text: string): boolean {
  return REEVE_MARK.test(text);
}

/** The text of a file; one that ansible-vault encrypted as a whole is decrypted. Throws InvalidError. */
export function readPlainText(file: string, decrypt: Decrypt | undefined): string {
  const text = readText(file);
  if (!text.startsWith(VAULT_HEADER)) return text;
  const place = { file, line: 1, column: 1 };
  if (decrypt) return decrypt(new Vaulted(text, place));
  throw new InvalidError([
    {
      code: 'vaulted-file',
      severity: 'error',
      message: 'this file is encrypted with ansible-vault, and no password was given',
      place,
    },
  ]);
}

/** Reads a file of variables in its dialect. Throws InvalidError with all that is wrong with it. */
export function readVariablesDocument(file: string, options: ReadOptions): { document: Document; dialect: Dialect } {
  const text = readPlainText(file, options.decrypt);
  if (options.fallback === 'reeve' || saysReeve(text)) {
    return { document: parseReeve(text, file, { allowEmpty: true }), dialect: 'reeve' };
  }
  return { document: parseAnsible(text, file, options.warn), dialect: 'ansible' };
}

/** Parses a YAML text in reeve's dialect. Throws InvalidError. */
export function parseReeve(text: string, file: string, options: LoadOptions = {}): Document {
  return parseSimpleYaml(text, file) ?? parseDocument(text, file, options);
}

/** Parses a YAML or JSON text in Ansible's dialect. Throws InvalidError. */
export function parseAnsible(text: string, file: string, warn?: (warning: Diagnostic) => void): Document {
  const json = /^\s*\{/.test(text) ? parseJsonDocument(text, file) : undefined;
  return (
    json ??
    parseSimpleYaml(text, file) ??
    parseDocument(text, file, { ...ANSIBLE_YAML, ...(warn ? { onWarning: warn } : {}) })
  );
}

const ANSIBLE_YAML: LoadOptions = {
  yaml: '1.1',
  allowEmpty: true,
  duplicateKeys: 'last',
  tags: {
    '!vault': (text, place) => new Vaulted(text, place),
    '!vault-encrypted': (text, place) => new Vaulted(text, place),
    '!unsafe': (text) => new Raw(text),
  },
};
