import { chmodSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Applets that hosts have stand-ins for, with a name of the same length and, where there is one, the same place in the
 * alphabet: busybox searches a sorted table of names, from a few fixed points on.
 */
const renamed: Record<string, string> = {
  cat: 'cau',
  halt: 'halu',
  hostname: 'hostnamf',
  poweroff: 'powerofg',
  reboot: 'rebooz',
  su: 's_',
};

/**
 * Copies busybox with some applets out of the way. Debian's static build prefers its applets to PATH, so on the lab's hosts
 * `reboot` would be the machine's own. Elsewhere (Alpine) PATH decides, and the copy behaves so for these names.
 */
export function copyBusybox(from: string, to: string): void {
  let text = readFileSync(from, 'latin1');
  for (const [name, other] of Object.entries(renamed)) text = text.replaceAll(`\0${name}\0`, `\0${other}\0`);
  writeFileSync(to, text, 'latin1');
  chmodSync(to, 0o755);
}
