import type { RunOptions, RunResult } from '../module.ts';

/** How to become another user on the target. */
export interface Become {
  method: 'sudo' | 'su' | 'doas';
  user: string;
  password?: string;
}

/** Everything that is needed to reach one host; made from its variables by `connectionSpec`. */
export interface ConnectionSpec {
  /** The inventory name, for messages. */
  host: string;
  transport: 'local' | 'ssh' | 'openssh' | 'pct';
  /** Host name, IP address, or an alias of `~/.ssh/config`. */
  address: string;
  port?: number;
  user?: string;
  password?: string;
  privateKeyFile?: string;
  passphrase?: string;
  knownHostsFile?: string;
  hostKeyChecking?: HostKeyChecking;
  proxyJump?: string;
  /** Further options for the system's ssh (`-o NAME=VALUE`). */
  sshOptions?: Record<string, string>;
  /** milliseconds; default 10 s. */
  connectTimeout?: number;
  /** Name or path of the shell on the target, or two words such as `busybox sh`; default `sh`. */
  shell?: string;
  /** For `pct`: the container's number, how to reach its Proxmox node, and how to become root there if need be. */
  vmid?: number;
  node?: ConnectionSpec;
  nodeBecome?: Become;
}

export type HostKeyChecking = 'ask' | 'strict' | 'accept-new' | 'off';

export interface ShellRequest extends Omit<RunOptions, 'timeout'> {
  script: string;
  /** milliseconds; always there: every remote call has a deadline. */
  timeout: number;
  /** Called with output as it comes, for a live tail; isolated runs only. */
  onOutput?: (stream: 'stdout' | 'stderr', text: Buffer) => void;
  /** Aborting ends the remote process group and rejects. */
  signal?: AbortSignal;
}

/** One persistent `sh` on a host as one user. Runs one request at a time; a second one waits. */
export interface Shell {
  run(request: ShellRequest): Promise<RunResult>;
  readonly alive: boolean;
  /** Requests that went over the wire: one round trip each. */
  readonly roundTrips: number;
  close(): Promise<void>;
}

/** A byte stream to a remote `sh`: what a transport gives. */
export interface ByteStream {
  stdin: import('node:stream').Writable;
  stdout: import('node:stream').Readable;
  stderr: import('node:stream').Readable;
  /** Resolves when the remote end is gone, with what is known of why. */
  closed: Promise<{ code?: number; signal?: string; message?: string }>;
  /** Ends the stream at once. */
  destroy(): void;
}

/** A connection to one machine, over which several streams run. */
export interface Transport {
  /** Starts `command` (text for the login shell of the other side) and gives its three streams. */
  open(command: string): Promise<ByteStream>;
  /** A TCP stream from the far side to host:port, for tunnels. */
  forward?(host: string, port: number): Promise<import('node:stream').Duplex>;
  readonly alive: boolean;
  close(): Promise<void>;
}

/** What a target has beside a POSIX sh. */
export interface Capabilities {
  /** `dd iflag=fullblock` works: content goes in blocks rather than byte by byte. */
  fullblock: boolean;
  setsid: boolean;
  nohup: boolean;
  mktemp: boolean;
  readlink: boolean;
  base64: boolean;
  stat: 'gnu' | 'bsd' | 'none';
  sha256: 'sha256sum' | 'shasum' | 'openssl' | 'none';
  /** Programs that are missing of those that reeve's own scripts use. */
  missing: string[];
  /** `Linux`, `FreeBSD` … as uname says. */
  kernel: string;
  uid: number;
  bootId: string;
}

/** All connections of a run. Shells are keyed by (host, become user) and pooled, at most four a key. */
export interface Connections {
  /**
   * Runs one request on a free shell of the host, connecting when needed.
   * Throws UnreachableError when the host cannot be reached or is lost on the way (the message says whether the script
   * may have run), ReeveError `become-failed` and `host-key-*` with hints.
   */
  run(spec: ConnectionSpec, become: Become | undefined, request: ShellRequest): Promise<RunResult>;
  /** A TCP stream from the host (for a container: from its Proxmox node to the container) for tunnels. */
  forward(spec: ConnectionSpec, host: string, port: number): Promise<import('node:stream').Duplex>;
  /** What the target has, asked once a host and user. */
  capabilities(spec: ConnectionSpec, become?: Become): Promise<Capabilities>;
  /** Forgets the host's connections, after a reboot for instance. */
  drop(spec: ConnectionSpec): Promise<void>;
  /** Round trips so far by host name. */
  readonly roundTrips: ReadonlyMap<string, number>;
  close(): Promise<void>;
}
