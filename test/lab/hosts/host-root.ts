import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyBusybox } from './busybox-copy.ts';
import { findProgram, requireShell, shellArgv, shellPath } from './shells.ts';
import type { HostSpec } from './types.ts';

const standIns = join(import.meta.dirname, 'stand-ins');

const folders = [
  'etc/default',
  'etc/sysconfig',
  'etc/systemd/system',
  'etc/rancher/k3s',
  'home',
  'lab/bin',
  'lab/knobs',
  'root',
  'run/systemd',
  'tmp',
  'usr/bin',
  'usr/local/bin',
  'var/lib/rancher/k3s',
  'var/lib/reeve',
  'var/log/journal',
];

/** Builds the folder that stands for a host's `/`, with its stand-ins. */
export function createRoot(root: string, spec: HostSpec): void {
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true, mode: 0o755 });
  writeFileSync(join(root, 'etc/hostname'), `${spec.name}\n`);
  writeFileSync(join(root, 'lab/events'), '');
  renewBootId(root);
  const shell = spec.shell ?? 'sh';
  if (shell === 'busybox') copyBusybox(requireShell(shell), shellPath(root, shell));
  symlinkSync(shellPath(root, shell), join(root, 'usr/bin/sh'));
  const fill = filler(root, spec);
  const install = (source: string, ...targets: string[]) => {
    const text = fill(readFileSync(join(standIns, source), 'utf8'));
    for (const target of targets) writeScript(join(root, target), text);
  };
  install('shared.sh', 'lab/bin/shared');
  install('systemctl.sh', 'usr/bin/systemctl');
  install('journalctl.sh', 'usr/bin/journalctl');
  install('lab-unit.sh', 'lab/bin/lab-unit');
  install('reboot.sh', 'usr/bin/reboot', 'usr/bin/shutdown', 'usr/bin/poweroff', 'usr/bin/halt');
  install('hostname.sh', 'usr/bin/hostname');
  install('cat.sh', 'usr/bin/cat');
  install('session.sh', 'lab/bin/session');
  writeFileSync(join(root, 'lab/environment'), exportLines(hostEnvironment(root, spec)));
  if (spec.ownCurl || (!findProgram('curl') && !findProgram('wget'))) install('curl.sh', 'usr/bin/curl');
  if (spec.become) install('become.sh', 'usr/bin/sudo', 'usr/bin/su', 'usr/bin/doas');
  if (spec.proxmox) install('pct.sh', 'usr/bin/pct');
}

/** What a session on the host sees: the machine's own programs after the host's stand-ins, and nothing of ours beside. */
export function hostEnvironment(root: string, spec: HostSpec): Record<string, string> {
  const shell = spec.shell ?? 'sh';
  return {
    HOME: join(root, 'root'),
    TMPDIR: join(root, 'tmp'),
    PATH: [join(root, 'usr/local/bin'), join(root, 'usr/bin'), systemPath()].join(delimiter),
    SHELL: shellPath(root, shell),
    USER: userInfo().username,
    LOGNAME: userInfo().username,
    LANG: 'C.UTF-8',
    LAB_ROOT: root,
    LAB_HOST: spec.name,
    ...spec.env,
  };
}

/** Empties what a reboot empties. */
export function clearVolatile(root: string): void {
  for (const entry of readdirSync(join(root, 'run'))) {
    rmSync(join(root, 'run', entry), { recursive: true, force: true });
  }
  mkdirSync(join(root, 'run/systemd'), { recursive: true });
}

/** Gives the host a new boot id and returns it. */
export function renewBootId(root: string): string {
  const id = randomUUID();
  writeFileSync(join(root, 'lab/boot_id'), `${id}\n`);
  return id;
}

/** Argv that runs a command line on the host as sshd would: through the user's shell. */
export function shellCommand(root: string, spec: HostSpec, command: string | undefined): string[] {
  const argv = shellArgv(root, spec.shell ?? 'sh');
  return command === undefined ? argv : [...argv, '-c', command];
}

/** The environment as lines of sh, for stand-ins that enter the host. */
function exportLines(environment: Record<string, string>): string {
  const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join('');
}

function systemPath(): string {
  return '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
}

function filler(root: string, spec: HostSpec): (text: string) => string {
  const shell = spec.shell ?? 'sh';
  const words: Record<string, string> = {
    ROOT: root,
    HOST: spec.name,
    SHELL: shellArgv(root, shell).join(' '),
    PATH: systemPath(),
    BOOTED: String(bootedAt()),
    CAT: shell === 'busybox' ? `${requireShell(shell)} cat` : (findProgram('cat') ?? '/bin/cat'),
    NODE: process.execPath,
    CURL: fileURLToPath(new URL('./curl.ts', import.meta.url)),
  };
  return (text) => text.replace(/@([A-Z]+)@/g, (all, word: string) => words[word] ?? all);
}

/** When the machine started, in hundredths of a second since 1970. */
function bootedAt(): number {
  const [uptime] = readFileSync('/proc/uptime', 'latin1').split(' ');
  return Math.round(Date.now() / 10 - Number(uptime) * 100);
}

function writeScript(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}
