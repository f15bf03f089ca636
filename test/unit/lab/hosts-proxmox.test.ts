import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import type { LabHost, LabHosts, ShellName } from '../../lab/hosts/types.ts';
import { describeShells } from '../../support/shells.ts';
import { runOnce } from './ssh-client.ts';

describeShells('pct on %s', ({ name }) => suite(name));

function suite(shell: ShellName): void {
  let lab: LabHosts;
  let node: LabHost;
  let guest: LabHost;
  const on = (command: string) => runOnce(lab, node, command);
  beforeAll(async () => {
    lab = await startHosts({
      hosts: [
        { name: 'pve-1', shell, proxmox: true },
        { name: 'ct-1', shell, container: { node: 'pve-1', vmid: 101 } },
        { name: 'ct-2', shell, container: { node: 'pve-1', vmid: 102 } },
      ],
      rebootMs: 10,
    });
    node = lab.get('pve-1');
    guest = lab.get('ct-1');
  });
  afterAll(() => lab.stop());

  it('lists and tells the status', async () => {
    expect((await on('pct list')).out.split('\n').map((line) => line.trim().split(/ +/))).toEqual([
      ['VMID', 'Status', 'Lock', 'Name'],
      ['101', 'running', 'ct-1'],
      ['102', 'running', 'ct-2'],
    ]);
    expect((await on('pct status 101')).out).toBe('status: running');
    expect(await on('pct status 999')).toMatchObject({ code: 2 });
  });

  it('runs argv without a shell, in the container', async () => {
    const result = await on(`pct exec 101 -- printf '%s|' 'a b' '$HOME' '*' "it's" ''`);
    expect(result.out).toBe(`a b|$HOME|*|it's||`);
    expect((await on('pct exec 101 -- hostname')).out).toBe('ct-1');
    expect((await on(`pct exec 101 -- sh -c 'cat; echo "$LAB_ROOT"' <<X\nfrom stdin\nX`)).out).toBe(
      `from stdin\n${guest.root}`,
    );
  });

  it('answers with the exit code of the command', async () => {
    const code = async (command: string) => (await on(`pct exec 101 -- ${command}`)).code;
    expect(await code("sh -c 'exit 42'")).toBe(42);
    expect(await code('no-such-command')).toBe(127);
    expect(await code('/etc/passwd')).toBe(126);
    expect(await code("sh -c 'kill -TERM $$'")).toBe(143);
    const killed = await on("pct exec 101 -- sh -c 'echo err >&2; kill -KILL $$'");
    expect(killed).toMatchObject({ code: 137, err: 'err' });
  });

  it("leaks the node's environment unless told not to", async () => {
    expect((await on(`FOO=leak pct exec 101 -- sh -c 'echo "$FOO"'`)).out).toBe('leak');
    expect((await on(`FOO=leak pct exec 101 --keep-env 0 -- sh -c 'echo "$FOO"'`)).out).toBe('');
    node.setKnob('pct-old', 'yes');
    expect(await on('pct exec 101 --keep-env 0 -- true')).toMatchObject({ code: 255, err: 'Unknown option: keep-env' });
    node.setKnob('pct-old', undefined);
  });

  it('pushes and pulls files', async () => {
    await on('echo data >"$TMPDIR/f"; pct push 101 "$TMPDIR/f" /tmp/g --perms 600');
    const pushed = join(guest.root, 'tmp/g');
    expect([readFileSync(pushed, 'utf8'), statSync(pushed).mode & 0o777]).toEqual(['data\n', 0o600]);
    expect((await on(`pct pull 101 ${guest.root}/tmp/g "$TMPDIR/h"; cat "$TMPDIR/h"`)).out).toBe('data');
  });

  it('stops, starts and reboots a container, and all of them with their node', async () => {
    const boot = guest.bootId;
    await on("pct exec 101 -- sh -c 'sleep 1000 >/dev/null 2>&1 &'");
    expect(guest.processes()).toHaveLength(1);
    expect(await on('pct stop 101; pct status 101')).toMatchObject({ out: 'status: stopped' });
    expect(guest.processes()).toEqual([]);
    expect(await on('pct exec 101 -- true')).toMatchObject({ code: 255, err: "Error: container '101' not running!" });
    expect(await on('pct start 101; pct status 101')).toMatchObject({ out: 'status: running' });
    expect((await on('pct exec 101 -- cat /proc/sys/kernel/random/boot_id')).out).toBe(guest.bootId);
    expect(guest.bootId).not.toBe(boot);
    const second = lab.get('ct-2').bootId;
    await node.reboot();
    expect(lab.get('ct-2').bootId).not.toBe(second);
  });
}
