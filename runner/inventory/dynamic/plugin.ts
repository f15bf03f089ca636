import { InvalidError } from '../../errors.ts';
import { toPlain } from '../../language/access.ts';
import { nearestName } from '../../language/nearest.ts';
import type { Document } from '../../load/document.ts';
import { loadDocument } from '../../load/parse.ts';
import type { JsonInventory } from '../json-inventory.ts';
import type { Construct } from '../load.ts';
import type { FetchOptions } from './fetch.ts';

/** Plugins by the name that `plugin:` gives; Ansible's names stand for the same thing. */
const PLUGINS: Record<string, 'constructed' | 'kubernetes' | 'proxmox'> = {
  constructed: 'constructed',
  'ansible.builtin.constructed': 'constructed',
  kubernetes: 'kubernetes',
  proxmox: 'proxmox',
  'community.general.proxmox': 'proxmox',
  'community.proxmox.proxmox': 'proxmox',
};

/** Reads a file with `plugin: NAME` and asks the plugin. Throws InvalidError, ReeveError. */
export async function openPlugin(file: string, options: FetchOptions): Promise<JsonInventory | Construct> {
  const document = loadDocument(file, { opener: options.opener });
  const name = toPlain((document.value as Record<string, unknown>).plugin);
  switch (typeof name === 'string' ? PLUGINS[name] : undefined) {
    case 'constructed':
      return (await import('./constructed.ts')).constructed(document);
    case 'kubernetes':
      return (await import('./kubernetes.ts')).kubernetesInventory(document, options);
    case 'proxmox':
      return (await import('./proxmox.ts')).proxmoxInventory(document, options);
    default:
      throw unknownPlugin(document, name);
  }
}

function unknownPlugin(document: Document, name: unknown): InvalidError {
  const near = nearestName(String(name), Object.keys(PLUGINS));
  return new InvalidError([
    {
      code: 'unknown-plugin',
      severity: 'error',
      message: `there is no inventory plugin ${String(name)}`,
      place: document.place(['plugin']),
      hint: near
        ? `did you mean ${near}?`
        : 'there are constructed, kubernetes and proxmox; a program that prints JSON does for the rest',
    },
  ]);
}
