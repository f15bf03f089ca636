import { isMap, type Node, Scalar, type Document as YamlDocument } from 'yaml';
import type { Place } from '../../errors.ts';
import { secretProblem } from '../problem.ts';
import { encryptValue, isEncryptedValue, type SopsValue } from './cipher.ts';
import { sealMac, startMac } from './mac.ts';
import { RULE_NAMES, type SopsMetadata, type SopsRules } from './metadata.ts';
import { openTree, SOPS_KEY } from './open.ts';
import { printTree, type SopsFormat } from './print.ts';
import { selection } from './selection.ts';
import { parseTree, visitTree } from './tree.ts';
import { macBytes, plainValue, sopsValue } from './values.ts';

/** The release of sops whose form the files have. */
const FORM_VERSION = '3.9.0';

/** A decrypted file: its plain text, and how each value was encrypted, so that what stays the same is not encrypted anew. */
export interface PlainSops {
  text: string;
  /** What stood for a value: by its path, type and text. */
  encrypted: Map<string, string>;
}

/** @throws InvalidError when the file was changed. */
export function decryptToText(
  text: string,
  metadata: SopsMetadata,
  key: Buffer,
  place: Place,
  format: SopsFormat,
): PlainSops {
  const tree = parseTree(text, place);
  const encrypted = new Map<string, string>();
  openTree(tree, metadata, key, place, (scalar, value, path) => {
    encrypted.set(identity(path, value), String(scalar.value));
    putPlain(scalar, value);
    return undefined;
  });
  tree.delete(SOPS_KEY);
  return { text: printTree(tree, format), encrypted };
}

export interface Encryption {
  key: Buffer;
  rules: SopsRules;
  /** The rest of what stands under `sops`; made by newMetadata, or that of the file before it was edited. */
  metadata: Record<string, unknown>;
  format: SopsFormat;
  place: Place;
  /** Of decryptToText, with the same key. */
  encrypted?: Map<string, string>;
  now?: Date;
}

/**
 * Encrypts the text of a YAML or JSON mapping as sops does.
 * @throws InvalidError for what SOPS cannot keep: aliases, tags, something else than a mapping.
 */
export function encryptText(text: string, encryption: Encryption): string {
  const { key, rules, place, format } = encryption;
  const tree = parseTree(text, place);
  refuseUnkept(tree, place);
  const select = selection(rules, place);
  const mac = startMac(rules);
  const seal = (value: SopsValue, path: readonly string[]) =>
    encryption.encrypted?.get(identity(path, value)) ?? encryptValue(value, key, `${path.join(':')}:`);
  const scalar = (node: Scalar, path: readonly string[]): void => {
    if (node.tag && !node.tag.startsWith('tag:yaml.org,2002:')) {
      throw secretProblem('sops-tag', `SOPS keeps no tags: ${node.tag} at ${path.join('.')}`, place);
    }
    const value = sopsValue(node);
    const isChosen = select(path, () => false);
    if (value && (isChosen || !rules.mac_only_encrypted)) mac.update(macBytes(value));
    if (value && isChosen && node.value !== '') putText(node, seal(value, path));
  };
  const comment = (line: string, path: readonly string[]) => {
    if (!select(path, () => false) || isEncryptedValue(line)) return line;
    return encryptValue({ type: 'comment', bytes: Buffer.from(line) }, key, `${path.join(':')}:`);
  };
  visitTree(tree, { scalar, ...(format === 'yaml' ? { comment } : {}) }, place);
  const lastmodified = `${(encryption.now ?? new Date()).toISOString().slice(0, 19)}Z`;
  const metadata = { ...encryption.metadata, lastmodified, mac: sealMac(mac, key, lastmodified) };
  tree.set(SOPS_KEY, metadataNode(tree, metadata));
  return printTree(tree, format);
}

/** What stands under `sops` in a new file, but for its time and MAC. */
export function newMetadata(age: SopsMetadata['age'], rules: SopsRules): Record<string, unknown> {
  const own = RULE_NAMES.filter((name) => rules[name] !== undefined).map((name) => [name, rules[name]]);
  const onlyEncrypted = rules.mac_only_encrypted ? { mac_only_encrypted: true } : {};
  return { age, lastmodified: '', mac: '', ...Object.fromEntries(own), ...onlyEncrypted, version: FORM_VERSION };
}

function refuseUnkept(tree: YamlDocument, place: Place): void {
  if (!isMap(tree.contents)) throw secretProblem('sops-not-mapping', 'SOPS encrypts mappings; this is empty', place);
  if (!tree.has(SOPS_KEY)) return;
  throw secretProblem(
    'sops-encrypted',
    'this has a key `sops`: it is encrypted already',
    place,
    'change it with: reeve secret edit',
  );
}

function identity(path: readonly string[], { type, bytes }: SopsValue): string {
  return `${JSON.stringify(path)} ${type} ${bytes.toString('base64')}`;
}

function putText(scalar: Scalar, text: string): void {
  scalar.value = text;
  scalar.type = Scalar.PLAIN;
  for (const name of ['source', 'tag', 'format', 'minFractionDigits'] as const)
    delete (scalar as Partial<Scalar>)[name];
}

function putPlain(scalar: Scalar, value: SopsValue): void {
  const plain = plainValue(value);
  const isHuge = value.type === 'int' && typeof plain === 'string';
  putText(scalar, '');
  scalar.value = isHuge ? BigInt(plain) : plain;
  // What was a float reads as one again.
  if (value.type === 'float' && Number.isInteger(plain)) scalar.minFractionDigits = 1;
  delete (scalar as Partial<Scalar>).type;
}

/** Times are quoted: YAML 1.1 would read something else than text. */
function metadataNode(tree: YamlDocument, metadata: Record<string, unknown>): Node {
  const node = tree.createNode(metadata, { aliasDuplicateObjects: false });
  const time = isMap(node) ? node.get('lastmodified', true) : undefined;
  if (time instanceof Scalar) time.type = Scalar.QUOTE_DOUBLE;
  return node;
}
