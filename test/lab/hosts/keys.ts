import ssh2 from 'ssh2';

export interface KeyPair {
  /** OpenSSH's private key format. */
  private: string;
  /** `ssh-ed25519 AAAA… comment` */
  public: string;
}

export function generateKey(comment: string): KeyPair {
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  return { private: pair.private, public: pair.public };
}
