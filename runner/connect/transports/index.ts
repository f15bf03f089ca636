import { ReeveError } from '../../errors.ts';
import type { ConnectionsOptions } from '../options.ts';
import type { ConnectionSpec, Transport } from '../types.ts';

/** The transport to one machine. Each is loaded when a run first needs it: node-ssh alone takes 150 ms. */
export async function createTransport(spec: ConnectionSpec, options: ConnectionsOptions): Promise<Transport> {
  switch (spec.transport) {
    case 'local':
      return (await import('./local.ts')).localTransport();
    case 'ssh':
      return (await import('./ssh.ts')).sshTransport(spec, options);
    case 'openssh':
      return (await import('./openssh.ts')).opensshTransport(spec, options);
    case 'pct':
      throw new ReeveError('bad-connection', `${spec.host}: a container cannot be the Proxmox node of another`);
  }
}
