import type { Place } from '../errors.ts';
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
  place?: Place;
}

export interface Host {
  name: string;
  place?: Place;
  /** All groups it is in, parents before children, `all` first. */
  groups: string[];
}

export interface Inventory {
  /** Files and other sources it was made of, in order. */
  sources: string[];
  hosts: Map<string, Host>;
  groups: Map<string, Group>;
  /** All hosts of a group and of its children, in inventory order. */
  hostsOf(group: string): string[];
  /** Layers of one host, lowest precedence first; shared between hosts, never copied. */
  layersOf(host: string): VariableLayer[];
  /** Resolves a pattern (`a:&b:!c`, globs, `~regex`, `[0]`, `[1:3]`) to host names in inventory order. */
  match(pattern: string): string[];
}
