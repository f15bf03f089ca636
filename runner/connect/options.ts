import type { HostKeyChecking } from './types.ts';

/** What a person is asked before an unknown host key is accepted. */
export interface HostKeyQuestion {
  host: string;
  address: string;
  port: number;
  /** `ssh-ed25519` */
  keyType: string;
  /** `SHA256:…` */
  fingerprint: string;
}

export interface ConnectionsOptions {
  /** The default for hosts that say nothing; default `ask`. */
  hostKeyChecking?: HostKeyChecking;
  /** Asks a person; without it `ask` is `strict`. */
  askHostKey?: (question: HostKeyQuestion) => Promise<boolean>;
  /** Asks for the passphrase of an encrypted key; without it such a key is passed over. */
  askPassphrase?: (keyFile: string) => Promise<string | undefined>;
  /** OpenSSH client configuration files, the first value found wins; default: the user's, then the system's. */
  sshConfigFiles?: string[];
  /** Where new host keys are written and known ones looked for first; default `~/.ssh/known_hosts` and the system's. */
  knownHostsFiles?: string[];
  /** Socket of the agent; default: SSH_AUTH_SOCK. An empty string switches it off. */
  agent?: string;
  /** Keys tried when nothing names one; default: `~/.ssh/id_ed25519`, `id_ecdsa`, `id_rsa`. */
  identityFiles?: string[];
  /** milliseconds between keep-alive messages; default 15 s, three may be missed. */
  keepAlive?: number;
  /** Things a person should know but that stop nothing. */
  warn?: (message: string) => void;
}
