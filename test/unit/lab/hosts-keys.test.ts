import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { generateKey } from '../../lab/hosts/keys.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';

describe('the keys of a lab', () => {
  it('are readable whatever their bytes are', () => {
    for (let round = 0; round < 1000; round++) {
      const pair = generateKey('lab');
      const key = ssh2.utils.parseKey(pair.private);
      if (key instanceof Error) throw key;
      expect(key.getPublicSSH().toString('base64')).toBe(pair.public.split(' ')[1]);
      expect(key.verify('data', key.sign('data'))).toBe(true);
    }
  });

  it("are readable for OpenSSH's own tools", needs(missing('ssh-keygen')), async () => {
    const folder = mkdtempSync(join(tmpdir(), 'reeve-keys-'));
    const pair = generateKey('a comment');
    writeFileSync(join(folder, 'key'), pair.private, { mode: 0o600 });
    const { stdout } = await promisify(execFile)('ssh-keygen', ['-y', '-f', join(folder, 'key')]);
    rmSync(folder, { recursive: true });
    expect(stdout.trim()).toBe(pair.public);
  });
});
