import { generateKeyPairSync, randomBytes } from 'node:crypto';

export interface KeyPair {
  /** OpenSSH's private key format. */
  private: string;
  /** `ssh-ed25519 AAAA… comment` */
  public: string;
}

const type = 'ssh-ed25519';

/**
 * A new ed25519 key pair in OpenSSH's formats (PROTOCOL.key of OpenSSH). Not by ssh2's generator, which drops leading zero
 * bytes of the public key and so makes one broken key in 256.
 */
export function generateKey(comment: string): KeyPair {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const publicBytes = Buffer.from(x ?? '', 'base64url');
  const seed = Buffer.from(d ?? '', 'base64url');
  const publicBlob = Buffer.concat([text(type), text(publicBytes)]);
  // The same number twice tells a reader that decryption worked; nothing is encrypted here.
  const check = randomBytes(4);
  const secret = pad(
    Buffer.concat([check, check, publicBlob, text(Buffer.concat([seed, publicBytes])), text(comment)]),
  );
  const one = Buffer.from([0, 0, 0, 1]);
  const head = [Buffer.from('openssh-key-v1\0'), text('none'), text('none'), text('')];
  const file = Buffer.concat([...head, one, text(publicBlob), text(secret)]).toString('base64');
  const lines = file.match(/.{1,70}/g) ?? [];
  return {
    private: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    public: `${type} ${publicBlob.toString('base64')} ${comment}`,
  };
}

/** SSH's string: its length, then its bytes. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Fills up to whole blocks of 8 with 1, 2, 3, … */
function pad(bytes: Buffer): Buffer {
  const missing = (8 - (bytes.length % 8)) % 8;
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: missing }, (_, index) => index + 1))]);
}
