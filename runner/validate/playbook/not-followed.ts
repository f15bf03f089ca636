import type { Diagnostic } from '../../errors.ts';
import type { Inventory } from '../../inventory/model.ts';
import { layersOfAll } from './inventory.ts';

const SSH = 'a jump host is `ssh_proxy_jump: NAME`; other options are `ssh_options`, with `transport: openssh`';

/** Variables with which Ansible connects in another way than reeve would, and what to set instead. */
const NOT_FOLLOWED = new Map<string, string | undefined>([
  ['ansible_ssh_args', SSH],
  ['ansible_ssh_common_args', SSH],
  ['ansible_ssh_extra_args', SSH],
  ['ansible_ssh_executable', 'with `transport: openssh` the ssh of this system is run'],
  ['ansible_shell_executable', 'the shell on the target is `target_shell`'],
  ['ansible_become_exe', undefined],
  ['ansible_become_flags', undefined],
]);

/** Warns of variables that Ansible connects by and reeve does not: a host may be looked for where it cannot be reached. */
export function checkNotFollowed(inventory: Inventory): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const layer of layersOfAll(inventory)) {
    for (const [name, hint] of NOT_FOLLOWED) {
      if (!Object.hasOwn(layer, name) || found.has(name)) continue;
      const message = `\`${name}\` is not followed: reeve connects without it`;
      const place = layer[name]!.where;
      found.set(name, { code: 'not-followed', severity: 'warning', message, place, ...(hint ? { hint } : {}) });
    }
  }
  return [...found.values()];
}
