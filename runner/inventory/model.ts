import type { Diagnostic } from '../errors.ts';
import type { Definition } from '../language/types.ts';

/** One level of variables that a host sees, lowest precedence first: where they come from and what they are. */
export interface VariableLayer {
  /** `all`, `group servers`, `host k3s-1`, `group_vars/servers.yaml` */
  origin: string;
  definitions: Record<string, Definition>;
}

export interface Group {
  name: string;
  /** Direct children. */
  children: string[];
  /** Direct hosts. */
  hosts: string[];
  /** Of two groups of one depth the one with the higher priority wins; default 1. */
  priority: number;
}

export interface Host {
  name: string;
  /** All groups it is in, parents before children, `all` first; shared, never to be changed. */
  groups: string[];
}

export interface Inventory {
  /** Files and other sources it was made of, in order. */
  sources: string[];
  /** What loading found that is no error: keys that are left out, names that stand twice. */
  warnings: Diagnostic[];
  hosts: Map<string, Host>;
  groups: Map<string, Group>;
  /** All hosts of a group and of its children, level by level as Ansible lists them. */
  hostsOf(group: string): string[];
  /** Layers of one host, lowest precedence first; shared between hosts, never copied. */
  layersOf(host: string): VariableLayer[];
  /** Layers that a group itself has, lowest precedence first: its own variables, then its group_vars. */
  ownLayersOf(group: string): VariableLayer[];
  /**
   * Resolves a pattern (`a:&b:!c`, globs, `~regex`, `[0]`, `[1:3]`), or terms that are not divided any more, to host
   * names in the order in which the terms name them.
   * @throws ReeveError `no-hosts`, `invalid-pattern`.
   */
  match(pattern: string | readonly string[]): string[];
}
