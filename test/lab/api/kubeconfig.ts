import { stringify } from 'yaml';

export interface KubeconfigOptions {
  /** Another address of the same API, such as a tunnel's. */
  server?: string;
  /** What the client shows: its certificate (as k3s.yaml has it) or the token. */
  auth?: 'certificate' | 'token';
  namespace?: string;
}

interface Access {
  server: string;
  ca: string;
  clientCert: string;
  clientKey: string;
  token: string;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A kubeconfig as k3s writes it: one cluster, user and context, all named `default`. */
export function kubeconfigText(
  access: Access,
  { server, auth = 'certificate', namespace }: KubeconfigOptions = {},
): string {
  const user =
    auth === 'token'
      ? { token: access.token }
      : { 'client-certificate-data': base64(access.clientCert), 'client-key-data': base64(access.clientKey) };
  const cluster = { server: server ?? access.server, 'certificate-authority-data': base64(access.ca) };
  const context = { cluster: 'default', user: 'default', ...(namespace ? { namespace } : {}) };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'default', cluster }],
    contexts: [{ name: 'default', context }],
    'current-context': 'default',
    users: [{ name: 'default', user }],
  });
}
