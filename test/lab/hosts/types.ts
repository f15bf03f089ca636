/** What a unit of a host just did, told by its stand-in for systemd. */
export interface UnitEvent {
  host: string;
  /** With its suffix: `k3s.service`. */
  unit: string;
  state: 'activating' | 'active' | 'inactive' | 'failed';
  /** Version of the k3s binary the unit's process was started from; empty for other programs. */
  version: string;
  /** `server` or `agent`, the first argument of k3s; empty for other programs. */
  role: string;
}

/** Any other line a stand-in wrote for the lab: `snapshot save …`, `restore PATH`, `crictl ARGS`. */
export interface HostEvent {
  host: string;
  words: string[];
}

/** Which shell a host's `sh` is. `sh` takes the machine's own. */
export type ShellName = 'sh' | 'dash' | 'bash' | 'busybox';

export type Backend = 'embedded' | 'openssh';

export interface HostSpec {
  name: string;
  shell?: ShellName;
  /** Where its SSH service listens, an address in 127.0.0.0/8; 127.0.0.1 unless told. */
  address?: string;
  /** Lets this password in, beside the lab's key. Embedded backend only. */
  password?: string;
  /** A container has no SSH of its own: it is reached with `pct exec VMID` on its node. */
  container?: { node: string; vmid: number };
  /** Installs the `pct` stand-in, for the containers that name this host as their node. */
  proxmox?: boolean;
  /** Gives the host stand-ins for sudo, su and doas, which want a password once the knob `become-password` has one. */
  become?: boolean;
  /** Gives the host the lab's own small `curl`, which it has anyway when the machine has neither curl nor wget. */
  ownCurl?: boolean;
  /** Variables every session and unit of this host has. */
  env?: Record<string, string>;
}

export interface StartHostsOptions {
  hosts: HostSpec[];
  backend?: Backend;
  /** An existing folder to build in; without it a new one below the system's temporary folder. */
  dir?: string;
  /** How long a rebooting host is away, in milliseconds. Default 300. */
  rebootMs?: number;
  onUnit?: (event: UnitEvent) => void;
  /** A host lost all its processes (stop, power-off, reboot) without its units having a say. */
  onDown?: (host: string) => void;
  onEvent?: (event: HostEvent) => void;
}

/** Counters of a host's SSH service since it started. */
export interface HostCounts {
  connections: number;
  /** Connections open at this moment. */
  open: number;
  /** Sessions and forwardings opened; embedded backend only. */
  channels: number;
  /** Commands run by exec requests; embedded backend only. */
  commands: string[];
}

export interface LabHost {
  readonly name: string;
  /** The folder that stands for this host's `/`. */
  readonly root: string;
  /** Loopback address and port of its SSH service; both empty or 0 for a container. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA…`, what the service proves to be. */
  readonly hostKey: string;
  readonly counts: HostCounts;
  readonly bootId: string;
  readonly container: { node: string; vmid: number } | undefined;
  /** Environment of a session, to run something on the host without SSH. */
  readonly environment: Record<string, string>;
  /** Cuts every open connection without a goodbye. Processes live on, as they do behind a real sshd. */
  dropConnections(): void;
  /** Refuses new connections for so many milliseconds, or until the promise settles. Resolves when it listens again. */
  refuse(until: number | Promise<unknown>): Promise<void>;
  /** Delays every chunk of later connections by so many milliseconds in each direction. */
  setLatency(milliseconds: number): void;
  /** Ends all processes and stops listening, as a machine without power does. */
  stop(): Promise<void>;
  /** Starts a stopped host: another boot id, an empty run/, the enabled units. */
  boot(): Promise<void>;
  /** Ends all processes, changes the boot id, empties run/, is away for a while, and starts the enabled units. */
  reboot(downMs?: number): Promise<void>;
  /** Sets (or with undefined clears) one word the stand-ins look at: README.md lists them. */
  setKnob(name: string, value: string | undefined): void;
  /** Process ids of everything that runs on this host now. */
  processes(): number[];
}

export interface LabHosts {
  readonly dir: string;
  readonly backend: Backend;
  readonly hosts: readonly LabHost[];
  readonly privateKeyFile: string;
  readonly publicKey: string;
  readonly knownHostsFile: string;
  /** The host of that name. Throws when there is none. */
  get(name: string): LabHost;
  /** Ends every process and listener and removes the folder. Safe to call twice. */
  stop(): Promise<void>;
}
