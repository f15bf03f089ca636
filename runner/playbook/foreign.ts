import { didYouMean } from '../language/nearest.ts';
import type { Registry } from './registry.ts';

/** Words that people bring from Ansible, and what to write here. */
const KEYWORDS: Record<string, string> = {
  include_tasks: 'write `include: FILE`',
  import_tasks: 'write `include: FILE`',
  include_role: 'write `include: FILE` with the tasks of the role',
  import_role: 'write `include: FILE` with the tasks of the role',
  roles: 'write `include: FILE` with the tasks of each role',
  include_vars: 'put the variables into `vars` or into the inventory (group_vars, host_vars)',
  import_playbook: 'list the plays of both files in one playbook, and share tasks with `include: FILE`',
  vars_files: 'put the variables into `vars` or into the inventory (group_vars, host_vars)',
  vars_prompt: 'write `inputs` at the top of the playbook',
  with_items: 'write `loop`',
  with_list: 'write `loop`',
  with_dict: 'write `loop` with the mapping; its items have `key` and `value`',
  with_sequence: 'write `loop` with a list or an expression',
  with_fileglob: 'write `loop` with a list or an expression',
  with_nested: 'write `loop` with a list or an expression',
  loop_with: 'write `loop`',
  local_action: 'write the module as usual, and `delegate_to: localhost`',
  action: 'write the module as a key: `copy: { … }`',
  args: 'write the arguments under the module: `copy: { … }`',
  sudo: 'write `become: true`',
  sudo_user: 'write `become_user`',
  remote_user: 'set the variable `ssh_user` of the hosts in the inventory',
  connection: 'set the variable `transport` of the hosts in the inventory',
  port: 'set the variable `ssh_port` of the hosts in the inventory',
  ignore_unreachable: 'an unreachable host counts as failed here; catch it with `rescue`',
  async: 'write `timeout`; long commands survive a lost connection by themselves',
  poll: 'leave it out; long commands survive a lost connection by themselves',
  collections: 'leave it out; all modules are built in',
  module_defaults: 'write the arguments at each task, or share them by a YAML anchor and `<<`',
  debugger: 'leave it out',
  become_flags: 'leave it out',
  become_exe: 'leave it out',
  fact_path: 'leave it out',
  gather_subset: 'leave it out; facts are gathered when something asks for them',
  force_handler: 'write `force_handlers`',
};

/** Modules that have another name here; the others differ in `_` and `-` only. */
const MODULES: Record<string, string> = {
  set_fact: 'set-vars',
  uri: 'http',
  systemd: 'service',
  systemd_service: 'service',
  sysvinit: 'service',
  ping: 'wait-for-connection',
  win_ping: 'wait-for-connection',
  setup: 'gather-facts',
  synchronize: 'copy',
  meta: 'flush-handlers',
  k8s_drain: 'drain',
  k8s_info: 'k8s-info',
  raw: 'shell',
};

/** Modules that people ask for first and that have nothing of the kind here yet. */
const WITHOUT = new Set(
  (
    'apt apk dnf yum zypper pacman package package_facts pip npm snap user group authorized_key cron sysctl mount hostname ' +
    'timezone git archive fetch find slurp tempfile iptables ufw firewalld selinux modprobe helm docker_container'
  ).split(' '),
);

/** What to write instead of a keyword from Ansible; undefined when it is none. */
export function foreignKeyword(name: string): string | undefined {
  if (Object.hasOwn(KEYWORDS, name)) return KEYWORDS[name];
  return name.startsWith('with_') ? 'write `loop`' : undefined;
}

/** What to write instead of a module that does not exist. */
export function moduleHint(name: string, registry: Registry): string {
  const foreign = foreignModule(name, registry);
  if (foreign) return `write \`${foreign}\``;
  if (WITHOUT.has(name.split('.').at(-1)!))
    return 'there is none of this kind yet: use `command` or `shell`, with `creates` where that tells that it is done';
  return didYouMean(name, registry.keys()) ?? '`reeve modules` lists them all';
}

/** The module here that stands for a module name from Ansible (`ansible.builtin.copy`, `wait_for`). */
function foreignModule(name: string, registry: Registry): string | undefined {
  const short = name.split('.').at(-1)!;
  const candidates = [short, short.replaceAll('_', '-'), Object.hasOwn(MODULES, short) ? MODULES[short]! : short];
  return candidates.find((candidate) => candidate !== name && registry.has(candidate));
}
