/** The facts of a host: one script of POSIX sh, and the reading of what it printed. */
import type { HostFacts } from '../module.ts';

/**
 * Prints `key=value` lines; mounts and addresses come once a line. Whatever a machine lacks leaves its line empty: every
 * program may be missing. `/proc` first, since it needs no program at all; sysctl and friends for BSD and macOS.
 */
export const factsScript = `(
fact() { printf '%s=%s\\n' "$1" "$2"; }
# A dead file server or name server must not hold up the rest.
soon() { if has timeout; then timeout 5 "$@" 2>/dev/null; else "$@" 2>/dev/null; fi; }
has() { command -v "$1" >/dev/null 2>&1; }
ctl() { sysctl -n "$1" 2>/dev/null; }
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin
fact hostname "$(hostname 2>/dev/null || uname -n)"
fact fqdn "$(soon hostname -f)"
fact kernel "$(uname -s)"
fact kernel_version "$(uname -r)"
fact architecture "$(uname -m)"
for f in /etc/os-release /usr/lib/os-release; do
  [ -r "$f" ] && { sed -n -e '/^ID=/p' -e '/^VERSION_ID=/p' -e '/^PRETTY_NAME=/p' -e '/^ID_LIKE=/p' "$f" | sed 's/^/os_/'; break; }
done
has sw_vers && { fact os_ID macos; fact os_VERSION_ID "$(sw_vers -productVersion)"; }
[ -r /proc/cpuinfo ] && fact cpus_proc "$(grep -c '^processor' /proc/cpuinfo)"
fact cpus "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || ctl hw.ncpu)"
if [ -r /proc/meminfo ]; then
  sed -n -e 's/^\\(MemTotal\\): *\\([0-9]*\\) kB$/\\1=\\2/p' -e 's/^\\(SwapTotal\\): *\\([0-9]*\\) kB$/\\1=\\2/p' /proc/meminfo
else
  fact memory_bytes "$(ctl hw.memsize || ctl hw.physmem)"
fi
if [ -r /proc/uptime ]; then fact uptime "$(cat /proc/uptime)"; else fact boottime "$(ctl kern.boottime)"; fi
fact boot_id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || ctl kern.bootsessionuuid || ctl kern.boot_id)"
if has ip; then
  ip -o addr show 2>/dev/null | while read -r _ dev family address rest; do
    case $family in inet|inet6) fact address "$dev $address $rest" ;; esac
  done
  fact route "$(ip route get 1.1.1.1 2>/dev/null | head -n 1)"
  fact route6 "$(ip -6 route get 2606:4700:4700::1111 2>/dev/null | head -n 1)"
elif has ifconfig; then
  ifconfig -a 2>/dev/null | sed -n 's/^[[:space:]]*\\(inet6\\{0,1\\}\\) \\(addr: *\\)\\{0,1\\}\\([^ %]*\\).*/address=- \\3/p'
  has route && fact gateway_device "$(route -n get default 2>/dev/null | sed -n 's/.*interface: //p')"
fi
if [ -d /run/systemd/system ]; then fact service_manager systemd
elif has systemctl && [ "$(systemctl is-system-running 2>/dev/null)" = running ]; then fact service_manager systemd
elif has rc-service; then fact service_manager openrc
else fact service_manager none; fi
for p in apt-get dnf yum zypper apk pacman xbps-install emerge brew pkg; do
  has "$p" && { fact package_manager "$p"; break; }
done
if has systemd-detect-virt; then fact virt "$(systemd-detect-virt 2>/dev/null)"; fi
fact container "$(tr '\\000' '\\n' 2>/dev/null </proc/1/environ | sed -n 's/^container=//p' | head -n 1)"
[ -e /.dockerenv ] && fact container docker
[ -r /sys/class/dmi/id/sys_vendor ] && fact dmi "$(cat /sys/class/dmi/id/sys_vendor 2>/dev/null)"
grep -q '^flags.* hypervisor' /proc/cpuinfo 2>/dev/null && fact hypervisor yes
fact user "$(id -un 2>/dev/null)"
fact uid "$(id -u 2>/dev/null)"
fact home "$HOME"
fact time "$(date +%s)"
soon df -P -k | while read -r device size _ available _ path; do
  case $device in Filesystem) continue ;; esac
  fact df "$size $available $device $path"
done
[ -r /proc/mounts ] && sed -n 's/^/mount=/p' /proc/mounts
:
)`;

/** Values by key, in the order of the output; where one is wanted the last one counts. */
type Lines = Map<string, string[]>;

/** Reads what `factsScript` printed. Missing lines become empty strings, 0 or empty lists; it never throws. */
export function parseFacts(output: string): HostFacts {
  const lines: Lines = new Map();
  for (const line of output.split('\n')) {
    const at = line.indexOf('=');
    if (at < 1) continue;
    const key = line.slice(0, at);
    lines.set(key, [...(lines.get(key) ?? []), line.slice(at + 1)]);
  }
  const text = (key: string) => lines.get(key)?.at(-1)?.trim() ?? '';
  const number = (key: string) => Number.parseInt(text(key), 10) || 0;
  const hostname = text('hostname');
  const time = number('time');
  const addresses = addressesOf(lines);
  return {
    hostname: hostname.split('.')[0] ?? '',
    fqdn: text('fqdn') || hostname,
    kernel: text('kernel'),
    kernel_version: text('kernel_version'),
    architecture: text('architecture'),
    os: osOf(text),
    cpus: number('cpus') || number('cpus_proc'),
    memory_mb: Math.floor(number('MemTotal') / 1024) || Math.floor(number('memory_bytes') / 1_048_576),
    swap_mb: Math.floor(number('SwapTotal') / 1024),
    uptime_seconds: number('uptime') || uptimeOf(text('boottime'), time),
    boot_id: text('boot_id') || text('boottime'),
    ip_addresses: addresses.map((one) => one.address),
    default_ip: defaultAddress(text, addresses),
    service_manager: serviceManager(text('service_manager')),
    package_manager: text('package_manager')
      .replace(/^apt-get$/, 'apt')
      .replace(/^xbps-install$/, 'xbps'),
    virtualization: virtualization(text),
    user: text('user'),
    uid: number('uid'),
    home: text('home'),
    time,
    mounts: mountsOf(lines),
  };
}

type Text = (key: string) => string;

/** Families by the distribution's own `ID` and `ID_LIKE`, the first that matches. */
const FAMILIES: [RegExp, string][] = [
  [/\b(debian|ubuntu|raspbian)\b/, 'debian'],
  [/\b(rhel|fedora|centos|rocky|almalinux|ol|amzn)\b/, 'rhel'],
  [/\b(suse|opensuse|sles|sle-micro)\b/, 'suse'],
  [/\b(alpine|postmarketos)\b/, 'alpine'],
  [/\b(arch|archlinux)\b/, 'arch'],
  [/\b(gentoo)\b/, 'gentoo'],
  [/\b(macos)\b/, 'darwin'],
];

function osOf(text: Text): HostFacts['os'] {
  const value = (key: string) => unquote(text(`os_${key}`));
  const id = value('ID') || text('kernel').toLowerCase();
  const likes = `${id} ${value('ID_LIKE')}`;
  const family = FAMILIES.find(([pattern]) => pattern.test(likes))?.[1] ?? id;
  const version = value('VERSION_ID') || (value('ID') ? '' : text('kernel_version'));
  return { id, version, name: value('PRETTY_NAME') || [id, version].filter(Boolean).join(' '), family };
}

function unquote(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2');
}

interface Address {
  device: string;
  address: string;
}

/** Addresses that other machines can use: no loopback, no link-local ones. */
function addressesOf(lines: Lines): Address[] {
  const found: Address[] = [];
  for (const line of lines.get('address') ?? []) {
    const [device = '', withPrefix = ''] = line.split(' ');
    const address = withPrefix.split(/[/%]/)[0] ?? '';
    if (address === '' || /^127\.|^::1$|^fe80:|^169\.254\./i.test(address)) continue;
    if (!found.some((one) => one.address === address)) found.push({ device, address });
  }
  return found;
}

/** The source address of the default route, else the first IPv4 address, else the first of all. */
function defaultAddress(text: Text, addresses: Address[]): string {
  const source = /\bsrc (\S+)/.exec(text('route'))?.[1] ?? /\bsrc (\S+)/.exec(text('route6'))?.[1];
  return source ?? (addresses.find((one) => !one.address.includes(':')) ?? addresses[0])?.address ?? '';
}

function serviceManager(value: string): HostFacts['service_manager'] {
  return value === 'systemd' || value === 'openrc' ? value : 'none';
}

/** systemd-detect-virt's word where it is installed; else a container's mark, the firmware's vendor, or `none`. */
function virtualization(text: Text): string {
  if (text('virt') !== '') return text('virt');
  if (text('container') !== '') return text('container');
  const vendor = text('dmi').toLowerCase();
  if (vendor.includes('qemu')) return 'kvm';
  if (vendor.includes('vmware')) return 'vmware';
  if (vendor.includes('xen')) return 'xen';
  if (vendor.includes('innotek')) return 'oracle';
  return text('hypervisor') === 'yes' ? 'vm-other' : 'none';
}

/** `{ sec = 1700000000, usec = 0 } Tue Nov 14 …` → seconds since then. */
function uptimeOf(boottime: string, now: number): number {
  const seconds = Number(/\bsec = (\d+)/.exec(boottime)?.[1] ?? 0);
  return seconds === 0 ? 0 : now - seconds;
}

/** Mounts with a size: df's lines, with the type from /proc/mounts where there is one. */
function mountsOf(lines: Lines): HostFacts['mounts'] {
  const types = new Map<string, string>();
  for (const line of lines.get('mount') ?? []) {
    const [, path, type] = line.split(' ');
    if (path !== undefined && type !== undefined) types.set(unescapeOctal(path), type);
  }
  const mounts: HostFacts['mounts'] = [];
  for (const line of lines.get('df') ?? []) {
    const match = /^(\d+) (-?\d+) (\S+) (.+)$/.exec(line);
    if (!match || Number(match[1]) === 0) continue;
    const path = match[4]!;
    mounts.push({
      path,
      device: match[3]!,
      type: types.get(path) ?? '',
      size_kb: Number(match[1]),
      available_kb: Number(match[2]),
    });
  }
  return mounts;
}

/** /proc/mounts writes a space as `\\040`. */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
