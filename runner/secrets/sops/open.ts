import type { Scalar, Document as YamlDocument } from 'yaml';
import type { Place } from '../../errors.ts';
import type { Document } from '../../load/document.ts';
import { secretProblem } from '../problem.ts';
import { decryptValue, isEncryptedValue, type SopsValue } from './cipher.ts';
import { startMac, verifyMac } from './mac.ts';
import { readMetadata, type SopsMetadata } from './metadata.ts';
import { selection } from './selection.ts';
import { parseTree, placeOfNode, visitTree } from './tree.ts';
import { macBytes, plainValue, sopsValue } from './values.ts';

/** The key under which SOPS keeps what it needs. */
export const SOPS_KEY = 'sops';

/**
 * The values of a SOPS document; `seal` makes what stands for those that were encrypted.
 * @throws InvalidError when it was changed.
 */
export function openSopsDocument(
  document: Document,
  key: Buffer,
  seal: (value: unknown) => unknown,
): Record<string, unknown> {
  const place = document.place([]);
  const metadata = readMetadata(metadataOf(document.value), document.place([SOPS_KEY], 'key'));
  const tree = parseTree(document.text, place);
  return openTree(tree, metadata, key, place, (_scalar, value) => seal(plainValue(value)));
}

export function metadataOf(value: unknown): Record<string, unknown> {
  return (value as { sops: Record<string, unknown> }).sops;
}

/**
 * Decrypts and verifies a tree; `decrypted` makes what stands in the place of each encrypted value. Comments are decrypted
 * in the tree itself.
 * @throws InvalidError for a value that cannot be decrypted, and for a MAC that does not fit.
 */
export function openTree(
  tree: YamlDocument,
  metadata: SopsMetadata,
  key: Buffer,
  place: Place,
  decrypted: (scalar: Scalar, value: SopsValue, path: readonly string[]) => unknown,
): Record<string, unknown> {
  const select = selection(metadata, place);
  const mac = startMac(metadata);
  const scalar = (node: Scalar, path: readonly string[]): unknown => {
    const isEncrypted = select(path, () => isEncryptedValue(node.value));
    const value = isEncrypted ? decryptScalar(node, key, path, () => placeOfNode(tree, node, place)) : sopsValue(node);
    if (value && (isEncrypted || !metadata.mac_only_encrypted)) mac.update(macBytes(value));
    return isEncrypted && value && node.value !== '' ? decrypted(node, value, path) : node.value;
  };
  const comment = (text: string, path: readonly string[]) =>
    decryptValue(text.trim(), key, `${path.join(':')}:`)?.bytes.toString('utf8') ?? text;
  const values = visitTree(tree, { scalar, comment }, place, SOPS_KEY);
  verifyMac(mac, metadata, key, place);
  return values;
}

/** SOPS encrypts neither null nor an empty text. */
function decryptScalar(node: Scalar, key: Buffer, path: readonly string[], place: () => Place): SopsValue | undefined {
  if (node.value === null) return undefined;
  if (node.value === '') return { type: 'str', bytes: Buffer.alloc(0) };
  const value = typeof node.value === 'string' ? decryptValue(node.value, key, `${path.join(':')}:`) : undefined;
  if (value) return value;
  const why = isEncryptedValue(node.value)
    ? 'cannot be decrypted: it was changed or moved'
    : 'should be encrypted and is not';
  throw secretProblem('sops-value', `the value of ${path.join('.')} ${why}`, place());
}
