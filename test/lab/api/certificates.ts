import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bits,
  boolean,
  contentOf,
  explicit,
  implicit,
  integer,
  octets,
  oid,
  sequence,
  set,
  time,
  utf8,
} from './der.ts';

/** A certificate with its key, both as PEM. */
export interface Credential {
  cert: string;
  key: string;
}

/** A certificate authority that signs server and client certificates. */
export interface Authority extends Credential {
  issueServer(commonName: string, hosts: string[]): Credential;
  issueClient(commonName: string, organization: string): Credential;
}

// RFC 5480, RFC 5758 and RFC 5280.
const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const HOUR = 3_600_000;
const TEN_YEARS = 10 * 365 * 24 * HOUR;

interface Subject {
  commonName: string;
  organization?: string;
}

interface Keys {
  key: KeyObject;
  spki: Buffer;
}

/**
 * Makes a certificate authority in memory. node:crypto reads X.509 but cannot write it, and a fresh machine may lack
 * openssl, hence the DER by hand.
 */
export function createAuthority(commonName: string): Authority {
  const subject: Subject = { commonName };
  const keys = newKeys();
  const identifier = keyIdentifier(keys.spki);
  const caExtensions = [
    extension(OID.basicConstraints, true, sequence(boolean(true))),
    extension(OID.keyUsage, true, keyUsage(0, 5, 6)),
    extension(OID.subjectKeyIdentifier, false, octets(identifier)),
  ];
  const issue = (to: Subject, usage: string, extra: Buffer[]): Credential => {
    const leaf = newKeys();
    const extensions = [
      extension(OID.basicConstraints, true, sequence()),
      extension(OID.keyUsage, true, keyUsage(0)),
      extension(OID.extendedKeyUsage, false, sequence(oid(usage))),
      extension(OID.subjectKeyIdentifier, false, octets(keyIdentifier(leaf.spki))),
      extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, identifier))),
      ...extra,
    ];
    return { cert: certificate(subject, keys.key, to, leaf.spki, extensions), key: privatePem(leaf.key) };
  };
  return {
    cert: certificate(subject, keys.key, subject, keys.spki, caExtensions),
    key: privatePem(keys.key),
    issueServer: (name, hosts) => issue({ commonName: name }, OID.serverAuth, [altNames(hosts)]),
    issueClient: (name, organization) => issue({ commonName: name, organization }, OID.clientAuth, []),
  };
}

function newKeys(): Keys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { key: privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1').update(contentOf(spki)).digest();
}

function certificate(issuer: Subject, issuerKey: KeyObject, to: Subject, spki: Buffer, extensions: Buffer[]): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const now = Date.now();
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer),
    sequence(time(new Date(now - HOUR)), time(new Date(now + TEN_YEARS))),
    distinguishedName(to),
    spki,
    explicit(3, sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(body, algorithm, bits(sign('sha256', body, issuerKey))));
}

function distinguishedName({ commonName, organization }: Subject): Buffer {
  const parts = organization === undefined ? [] : [set(sequence(oid(OID.organization), utf8(organization)))];
  return sequence(...parts, set(sequence(oid(OID.commonName), utf8(commonName))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

/** RFC 5280 numbers the bits from the left: 0 digitalSignature, 5 keyCertSign, 6 cRLSign. */
function keyUsage(...positions: number[]): Buffer {
  const byte = positions.reduce((value, position) => value | (0x80 >> position), 0);
  return bits(Buffer.from([byte]), 7 - Math.max(...positions));
}

function altNames(hosts: string[]): Buffer {
  const names = hosts.map((host) => (isIP(host) ? implicit(7, addressBytes(host)) : implicit(2, Buffer.from(host))));
  return extension(OID.subjectAltName, false, sequence(...names));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (text: string | undefined) => (text ? text.split(':').map((word) => Number.parseInt(word, 16)) : []);
  const left = words(head);
  const right = words(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
