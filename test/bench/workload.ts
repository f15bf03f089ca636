import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * The same twenty tasks for every contender: what a person would do to a node before k3s comes. Each host works below
 * `base`, a folder of its own, since all hosts are one machine here.
 */

const LIMITS = '* soft nofile 65536\n* hard nofile 65536\nroot soft nofile 65536\n';
const EDITED = 'PermitRootLogin yes\nPort 22\nUseDNS yes\nMaxSessions 10\n';
const APP = 'name = {{ name }}\nport = 8443\nhosts = a b c\nlog = /var/log/app.log\n';
const NODE = 'node: {{ name }}\nlabels:\n  - tier=edge\n  - name={{ name }}\n';
const MOTD = 'Kept by a machine. Changes here are lost.\n';
/** A few kilobytes, as a unit file or a manifest has. */
const MANIFEST = Array.from({ length: 100 }, (_, n) => `setting-${n}: value of setting number ${n}\n`).join('');

const BLOCK = '10.0.0.1 k3s-1\n10.0.0.2 k3s-2\n10.0.0.3 k3s-3\n';

/** Tasks in reeve's words; Ansible's differ in the few places where `ansibleTasks` says so. */
function tasks(file: string, link: string, setVars: string, assertion: string, shellReads: string): string {
  const indent = (text: string) => text.replaceAll('\n', '\\n');
  return `
      - { name: folder, ${file}: { path: "{{ base }}/etc", state: directory, mode: "0755" } }
      - { name: private folder, ${file}: { path: "{{ base }}/etc/conf.d", state: directory, mode: "0750" } }
      - { name: motd, copy: { content: "${indent(MOTD)}", dest: "{{ base }}/etc/motd", mode: "0644" } }
      - { name: limits, copy: { content: "${indent(LIMITS)}", dest: "{{ base }}/etc/conf.d/limits.conf", mode: "0640" } }
      - { name: manifest, copy: { src: manifest.yaml, dest: "{{ base }}/etc/manifest.yaml", mode: "0644" } }
      - { name: configuration, template: { src: TEMPLATE_APP, dest: "{{ base }}/etc/app.conf", mode: "0644" } }
      - { name: node, template: { src: TEMPLATE_NODE, dest: "{{ base }}/etc/conf.d/node.yaml", mode: "0600" } }
      - { name: to be edited, copy: { content: "${indent(EDITED)}", dest: "{{ base }}/etc/edited", force: false, mode: "0644" } }
      - { name: root login, lineinfile: { path: "{{ base }}/etc/edited", regexp: "^PermitRootLogin", line: "PermitRootLogin no" } }
      - { name: one more line, lineinfile: { path: "{{ base }}/etc/edited", line: "ClientAliveInterval 30" } }
      - { name: names, blockinfile: { path: "{{ base }}/etc/hosts", create: true, mode: "0644", block: "${indent(BLOCK)}" } }
      - { name: dns, replace: { path: "{{ base }}/etc/edited", regexp: "UseDNS yes", replace: "UseDNS no" } }
      - { name: link, ${link} }
      - { name: old file, ${file}: { path: "{{ base }}/etc/old", state: absent } }
      - { name: look, stat: { path: "{{ base }}/etc/app.conf" }, register: found }
      - { name: kernel, ${shellReads.replace('WHAT', 'command').replace('CMD', 'uname -r')} }
      - { name: once, shell: { cmd: "echo made > {{ base }}/etc/made", creates: "{{ base }}/etc/made" } }
      - { name: disk, ${shellReads.replace('WHAT', 'shell').replace('CMD', 'df -P / | tail -n 1')} }
      - { name: remember, ${setVars} }
      - { name: it is there, ${assertion} }
`;
}

function reeveTasks(): string {
  return tasks(
    'file',
    'link: { path: "{{ base }}/etc/current", src: conf.d }',
    'set-vars: { seen: "{{ found.exists }}" }',
    'assert: { that: "seen" }',
    'WHAT: { cmd: "CMD", reads: true }',
  )
    .replace('TEMPLATE_APP', 'app.conf.hbs')
    .replace('TEMPLATE_NODE', 'node.yaml.hbs');
}

function ansibleTasks(): string {
  return tasks(
    'file',
    'file: { path: "{{ base }}/etc/current", src: conf.d, state: link }',
    'set_fact: { seen: "{{ found.stat.exists }}" }',
    'assert: { that: seen }',
    'WHAT: { cmd: "CMD" }, changed_when: false',
  )
    .replace('TEMPLATE_APP', 'app.conf.j2')
    .replace('TEMPLATE_NODE', 'node.yaml.j2');
}

/** What an expert would write by hand: nothing is read first, nothing is atomic, nothing is kept for undo. */
const SCRIPT = `set -e
base=$1 name=$2
mkdir -p "$base/etc/conf.d"
chmod 0755 "$base/etc"
chmod 0750 "$base/etc/conf.d"
printf '%s' '${MOTD}' >"$base/etc/motd"
chmod 0644 "$base/etc/motd"
printf '%s' '${LIMITS}' >"$base/etc/conf.d/limits.conf"
chmod 0640 "$base/etc/conf.d/limits.conf"
cat >"$base/etc/manifest.yaml" <<'END'
${MANIFEST}END
chmod 0644 "$base/etc/manifest.yaml"
printf '%s' "${APP.replaceAll('{{ name }}', '$name')}" >"$base/etc/app.conf"
chmod 0644 "$base/etc/app.conf"
printf '%s' "${NODE.replaceAll('{{ name }}', '$name')}" >"$base/etc/conf.d/node.yaml"
chmod 0600 "$base/etc/conf.d/node.yaml"
[ -e "$base/etc/edited" ] || printf '%s' '${EDITED}' >"$base/etc/edited"
chmod 0644 "$base/etc/edited"
sed -i 's/^PermitRootLogin.*/PermitRootLogin no/' "$base/etc/edited"
grep -qx 'ClientAliveInterval 30' "$base/etc/edited" || echo 'ClientAliveInterval 30' >>"$base/etc/edited"
touch "$base/etc/hosts"
sed -i '/^# BEGIN/,/^# END/d' "$base/etc/hosts"
printf '# BEGIN\\n%s# END\\n' '${BLOCK}' >>"$base/etc/hosts"
chmod 0644 "$base/etc/hosts"
sed -i 's/UseDNS yes/UseDNS no/' "$base/etc/edited"
ln -sfn conf.d "$base/etc/current"
rm -f "$base/etc/old"
stat "$base/etc/app.conf" >/dev/null
uname -r >/dev/null
[ -e "$base/etc/made" ] || echo made >"$base/etc/made"
df -P / | tail -n 1 >/dev/null
seen=yes
[ "$seen" = yes ]
`;

export interface Workload {
  folder: string;
  reeve: string;
  ansible: string;
  script: string;
}

/** Writes the three forms of the twenty tasks, or of the first `count` of them. */
export function writeWorkload(folder: string, count = 20): Workload {
  mkdirSync(folder, { recursive: true });
  const cut = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .slice(0, count + 1)
      .join('\n');
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  put('manifest.yaml', MANIFEST);
  for (const [name, text] of [
    ['app.conf', APP],
    ['node.yaml', NODE],
  ] as const) {
    put(`${name}.hbs`, text);
    put(`${name}.j2`, text);
  }
  return {
    folder,
    script: put('floor.sh', SCRIPT),
    reeve: put('reeve.yaml', `name: bench\nplays:\n  - name: bench\n    hosts: all\n    tasks:${cut(reeveTasks())}\n`),
    ansible: put('ansible.yaml', `- hosts: all\n  gather_facts: false\n  tasks:${cut(ansibleTasks())}\n`),
  };
}
