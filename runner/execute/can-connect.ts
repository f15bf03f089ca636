import { connect } from 'node:net';

/** Whether a TCP connection to host:port is accepted within `timeout` milliseconds; it is closed again at once. */
export function canConnect(host: string, port: number, timeout: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (accepted: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      resolve(accepted);
    };
    const abort = () => end(false);
    const timer = setTimeout(abort, timeout);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
