import { afterEach, expect, test } from 'vitest';
import { createConnections } from '../../../runner/connect/connections.ts';
import type { ConnectionSpec } from '../../../runner/connect/types.ts';
import { fakePct } from '../../support/fake-pct.ts';
import { describeShells } from '../../support/shells.ts';
import { localSpec } from './support/local-spec.ts';
import { FAKE_SUDO, standIns } from './support/stand-ins.ts';

describeShells('pct through its node, %s', ({ command }) => {
  const programs: ReturnType<typeof standIns>[] = [];
  afterEach(() => {
    for (const one of programs.splice(0)) one.remove();
  });

  function container(vmid: number, extra: Partial<ConnectionSpec> = {}): ConnectionSpec {
    const node = { ...localSpec('sh'), host: 'pve-1' };
    return { host: `ct-${vmid}`, transport: 'pct', address: '', vmid, node, shell: command, ...extra };
  }

  test.each([{ keepEnv: true }, { keepEnv: false }])('a pct with --keep-env: $keepEnv', async ({ keepEnv }) => {
    programs.push(standIns({ pct: fakePct({ keepEnv }) }));
    process.env.LEAK = 'yes';
    const own = createConnections();
    const script = `echo "$CONTAINER [\${LEAK-}] it's \\"so\\" \\$HOME"; cat; exit 7`;
    for (const isolated of [false, true]) {
      const result = await own.run(container(101), undefined, { script, stdin: 'a\0b', timeout: 9_000, isolated });
      expect(result).toMatchObject({ code: 7, stdout: `101 [] it's "so" $HOME\na\0b` });
    }
    delete process.env.LEAK;
    await own.close();
  });

  test('a stopped container, one that lives elsewhere, and a node without pct', async () => {
    programs.push(standIns({ pct: fakePct({ keepEnv: true }) }));
    const own = createConnections();
    const run = (vmid: number) => own.run(container(vmid), undefined, { script: 'id', timeout: 9_000 });
    await expect(run(102)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('not running on pve-1'),
      hint: expect.stringContaining('pct status 102'),
    });
    await expect(run(103)).rejects.toMatchObject({
      message: expect.stringContaining('no container 103 on pve-1'),
      hint: expect.stringContaining('pct_node'),
    });
    for (const one of programs.splice(0)) one.remove();
    await expect(run(101)).rejects.toMatchObject({ message: expect.stringContaining('has no pct') });
    await own.close();
  });

  test('becoming root on the node first, with a password', async () => {
    programs.push(standIns({ pct: fakePct({ keepEnv: true }), sudo: FAKE_SUDO }));
    const own = createConnections();
    const nodeBecome = { method: 'sudo' as const, user: 'root', password: 'pass word$"' };
    const result = await own.run(container(101, { nodeBecome }), undefined, {
      script: 'echo $CONTAINER',
      timeout: 9_000,
    });
    expect(result.stdout).toBe('101\n');
    const wrong = { ...nodeBecome, password: 'wrong' };
    await expect(
      own.run(container(101, { nodeBecome: wrong }), undefined, { script: 'id', timeout: 9_000 }),
    ).rejects.toMatchObject({ code: 'become-failed' });
    await own.close();
  });

  test('without a number or a node it says so', async () => {
    const own = createConnections();
    const { vmid: _vmid, ...noNumber } = container(101);
    await expect(own.run(noNumber, undefined, { script: 'id', timeout: 9_000 })).rejects.toMatchObject({
      code: 'bad-connection',
    });
    const { node: _node, ...noNode } = container(101);
    await expect(own.run(noNode, undefined, { script: 'id', timeout: 9_000 })).rejects.toMatchObject({
      code: 'bad-connection',
      message: expect.stringContaining('Proxmox node'),
    });
    await own.close();
  });
});
