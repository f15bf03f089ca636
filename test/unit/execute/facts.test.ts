import { spawnSync } from 'node:child_process';
import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { factsScript, parseFacts } from '../../../runner/execute/facts.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';

for (const [shell, ...args] of [['sh'], ['dash'], ['bash'], ['busybox', 'sh']] as [string, ...string[]][]) {
  describe(`facts by a real ${shell}`, needs(missing(shell)), () => suite(shell, args));
}

function suite(shell: string, args: string[]): void {
  const run = (env: Record<string, string>) => {
    const result = spawnSync(shell, [...args, '-c', factsScript], { encoding: 'utf8', env });
    return { ...result, facts: parseFacts(result.stdout) };
  };

  it('tells what node:os tells of this machine', () => {
    const { facts, status, stderr } = run({ ...process.env, HOME: '/home/of tests' } as Record<string, string>);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(facts.hostname).toBe(os.hostname().split('.')[0]);
    expect(facts.kernel).toBe(os.type());
    expect(facts.kernel_version).toBe(os.release());
    expect(facts.architecture).toBe(os.machine());
    expect(facts.uid).toBe(os.userInfo().uid);
    expect(facts.home).toBe('/home/of tests');
    expect(facts.cpus).toBeGreaterThan(0);
    expect(Math.abs(facts.memory_mb - os.totalmem() / 1_048_576)).toBeLessThan(2);
    expect(facts.os.id).not.toBe('');
    for (const mount of facts.mounts) expect(mount.path).toMatch(/^\//);
  });

  it('does not fail where no program is to be found', () => {
    // The shell itself is given by its full path, so that only what it calls is missing.
    const path = spawnSync('sh', ['-c', `command -v ${shell}`], { encoding: 'utf8' }).stdout.trim();
    const hidden = factsScript.replace(/^PATH=.*$/m, 'PATH=/nonexistent');
    const result = spawnSync(path, [...args, '-c', hidden], {
      encoding: 'utf8',
      env: { PATH: '/none' },
    });
    expect(result.status).toBe(0);
    expect(parseFacts(result.stdout).service_manager).toMatch(/systemd|openrc|none/);
  });
}

describe('parseFacts', () => {
  it('reads an Alpine host', () => {
    const facts = parseFacts(
      [
        'hostname=k3s-1.lan',
        'os_ID=alpine',
        'os_VERSION_ID=3.20.3',
        'os_PRETTY_NAME="Alpine Linux v3.20"',
        'MemTotal=2097152',
        'uptime=3600.55 7000.11',
        'address=lo 127.0.0.1/8 scope host lo',
        'address=eth0 10.0.0.11/24 brd 10.0.0.255 scope global eth0',
        'address=eth0 fe80::1/64 scope link',
        'address=eth1 192.168.7.2/24 scope global eth1',
        'route=1.1.1.1 via 192.168.7.1 dev eth1 src 192.168.7.2 uid 0',
        'service_manager=openrc',
        'package_manager=apk',
        'mount=/dev/vda1 / ext4 rw 0 0',
        'mount=/dev/vdb /srv/my\\040data xfs rw 0 0',
        'df=1000 400 /dev/vda1 /',
        'df=2000 500 /dev/vdb /srv/my data',
        'df=0 0 proc /proc',
      ].join('\n'),
    );
    expect(facts).toMatchObject({
      hostname: 'k3s-1',
      fqdn: 'k3s-1.lan',
      os: { id: 'alpine', version: '3.20.3', name: 'Alpine Linux v3.20', family: 'alpine' },
      memory_mb: 2048,
      uptime_seconds: 3600,
      ip_addresses: ['10.0.0.11', '192.168.7.2'],
      default_ip: '192.168.7.2',
      service_manager: 'openrc',
      package_manager: 'apk',
      mounts: [
        { path: '/', type: 'ext4', size_kb: 1000, available_kb: 400 },
        { path: '/srv/my data', device: '/dev/vdb', type: 'xfs' },
      ],
    });
  });

  it.each([
    ['rocky', 'rhel centos fedora', 'rhel'],
    ['ubuntu', 'debian', 'debian'],
    ['linuxmint', 'ubuntu debian', 'debian'],
    ['opensuse-leap', 'suse opensuse', 'suse'],
    ['slackware', '', 'slackware'],
  ])('knows the family of %s', (id, like, family) => {
    expect(parseFacts(`os_ID="${id}"\nos_ID_LIKE="${like}"`).os.family).toBe(family);
  });

  it('reads a Mac', () => {
    const facts = parseFacts(
      'kernel=Darwin\nos_ID=macos\nos_VERSION_ID=15.1\nmemory_bytes=17179869184\ntime=1700000100\n' +
        'boottime={ sec = 1700000000, usec = 5 } Tue Nov 14 22:13:20 2023',
    );
    expect(facts).toMatchObject({ memory_mb: 16384, uptime_seconds: 100, os: { family: 'darwin', version: '15.1' } });
  });

  it('gives empty values for no output at all', () => {
    expect(parseFacts('')).toMatchObject({
      hostname: '',
      cpus: 0,
      ip_addresses: [],
      mounts: [],
      virtualization: 'none',
    });
  });
});
