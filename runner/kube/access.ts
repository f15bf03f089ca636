import type { Duplex } from 'node:stream';
import type { RunResult } from '../module.ts';

/** Where k3s keeps the administrator's kubeconfig on every server. */
export const K3S_KUBECONFIG = '/etc/rancher/k3s/k3s.yaml';

/** The cluster by a kubeconfig of the control machine. */
export interface KubeconfigAccess {
  kind: 'kubeconfig';
  /** For messages and `serverReady`; default `kubeconfig`. */
  name?: string;
  /** A file, or several joined with `:` as in KUBECONFIG. */
  path?: string;
  /** The kubeconfig itself, instead of `path`. */
  text?: string;
  /** Where `text` came from, for messages. */
  origin?: string;
  context?: string;
}

/** The cluster through one of its servers: the kubeconfig is read there and the API is reached from there. */
export interface HostAccess {
  kind: 'host';
  /** The host's inventory name. */
  name: string;
  /** Path of the kubeconfig on the host; default K3S_KUBECONFIG. */
  path?: string;
  /** Runs a script that only reads, as a user who may read the kubeconfig. */
  run(script: string): Promise<RunResult>;
  /** Whether the run has been on the host already. */
  connected?(): boolean;
  /** A TCP stream from the host. */
  forward(host: string, port: number): Promise<Duplex>;
  /**
   * Address to ask `forward` for instead of the one in the kubeconfig, when the far end of the tunnel is not the host
   * itself (a container's Proxmox node). The certificate is still verified for the name in the kubeconfig.
   */
  tunnelTo?: string;
  context?: string;
}

export type ClusterAccess = KubeconfigAccess | HostAccess;

/** The name of an access in messages and for `serverReady`. */
export function accessName(access: ClusterAccess): string {
  return access.name ?? 'kubeconfig';
}
