import { type Diagnostic, InvalidError } from '../errors.ts';
import { Vaulted } from '../language/vaulted.ts';
import { type Document, Raw } from '../load/document.ts';
import { parseJsonDocument } from '../load/json-document.ts';
import type { Opener } from '../load/opener.ts';
import { type LoadOptions, openWith, parseDocument } from '../load/parse.ts';
import { readText } from '../load/read-text.ts';
import { parseSimpleYaml } from '../load/simple-yaml.ts';

/** `reeve: 1` at the top of a file says that it is in reeve's dialect; everything else is Ansible's. */
export type Dialect = 'reeve' | 'ansible';

const REEVE_MARK = /^(?:"reeve"|'reeve'|reeve)\s*:/m;
const VAULT_HEADER = '$ANSIBLE_VAULT;';

export interface ReadOptions {
  /** The dialect of a file that does not say. */
  fallback: Dialect;
  /** Opens what is encrypted. */
  opener?: Opener | undefined;
  /** Gets what Ansible accepts and what is worth a word. */
  warn?: ((warning: Diagnostic) => void) | undefined;
}

/** True when a text says that it is in reeve's dialect. */
export function saysReeve(text: string): boolean {
  return REEVE_MARK.test(text);
}

/** Parses a file's text, decrypted where it is encrypted. Throws InvalidError. */
export function openFile(
  file: string,
  opener: Opener | undefined,
  parse: (text: string, isOpened: boolean) => Document,
): Document {
  const text = readText(file);
  if (opener || !text.startsWith(VAULT_HEADER)) return openWith(opener, text, file, parse);
  throw new InvalidError([
    {
      code: 'vaulted-file',
      severity: 'error',
      message: 'this file is encrypted with ansible-vault, and no password was given',
      place: { file, line: 1, column: 1 },
    },
  ]);
}

/** Reads a file of variables in its dialect. Throws InvalidError with all that is wrong with it. */
export function readVariablesDocument(file: string, options: ReadOptions): { document: Document; dialect: Dialect } {
  const { opener, warn, fallback } = options;
  let dialect: Dialect = 'ansible';
  let isEncrypted = false;
  const document = openFile(file, opener, (text, isOpened) => {
    isEncrypted = isOpened;
    if (fallback === 'reeve' || saysReeve(text)) dialect = 'reeve';
    return dialect === 'reeve'
      ? parseReeve(text, file, { allowEmpty: true, opener })
      : parseAnsible(text, file, { warn, opener });
  });
  if (!opener || !isEncrypted) return { document, dialect };
  return { document: { ...document, value: opener.seal(document.value) }, dialect };
}

/** Parses a YAML text in reeve's dialect. Throws InvalidError. */
export function parseReeve(text: string, file: string, options: LoadOptions = {}): Document {
  return parseSimpleYaml(text, file) ?? parseDocument(text, file, options);
}

/** Parses a YAML or JSON text in Ansible's dialect. Throws InvalidError. */
export function parseAnsible(text: string, file: string, { warn, opener }: Partial<ReadOptions> = {}): Document {
  const json = /^\s*\{/.test(text) ? parseJsonDocument(text, file) : undefined;
  return (
    json ??
    parseSimpleYaml(text, file) ??
    parseDocument(text, file, { ...ANSIBLE_YAML, opener, ...(warn ? { onWarning: warn } : {}) })
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
