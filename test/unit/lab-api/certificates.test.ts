import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { startApi } from '../../lab/api/api.ts';
import { createAuthority } from '../../lab/api/certificates.ts';

describe('a self-made authority', () => {
  const authority = createAuthority('test-ca');
  const ca = new X509Certificate(authority.cert);

  test('signs itself and is one', () => {
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.subject).toBe('CN=test-ca');
  });

  test('signs server certificates for names and addresses', () => {
    const server = new X509Certificate(
      authority.issueServer('api', ['127.0.0.1', '::1', 'localhost', 'fe80::1:2']).cert,
    );
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkHost('elsewhere')).toBeUndefined();
    expect(['127.0.0.1', '::1', 'fe80::1:2'].map((ip) => server.checkIP(ip))).not.toContain(undefined);
  });

  test('puts user and group into client certificates, and its key fits', () => {
    const { cert, key } = authority.issueClient('system:admin', 'system:masters');
    const parsed = new X509Certificate(cert);
    expect(parsed.subject.split('\n').sort()).toEqual(['CN=system:admin', 'O=system:masters']);
    expect(key).toContain('BEGIN PRIVATE KEY');
  });

  test('gives each certificate its own serial number and a validity around now', () => {
    const [one, two] = [1, 2].map(() => new X509Certificate(authority.issueServer('x', ['localhost']).cert));
    expect(one!.serialNumber).not.toBe(two!.serialNumber);
    expect(one!.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(one!.validToDate.getTime()).toBeGreaterThan(Date.now());
  });
});

test('a client that trusts only the authority reaches the API, one that does not is refused', async () => {
  const api = await startApi();
  const attempt = (ca: string) =>
    new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: api.port, ca, servername: 'localhost' }, () => {
        resolve('trusted');
        socket.destroy();
      });
      socket.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    });
  try {
    expect(await attempt(api.ca)).toBe('trusted');
    expect(await attempt(createAuthority('k3s-server-ca').cert)).not.toBe('trusted');
  } finally {
    await api.stop();
  }
});
