/** The starter project of `reeve init`, by path. What it says must validate and run: a test does both. */
export const STARTER_FILES: Readonly<Record<string, string>> = {
  'inventory/hosts.yaml': `# The machines. Every name below \`hosts:\` is a host; put what is needed to reach it beside it:
# address, ssh_port, ssh_user, ssh_private_key_file (\`~/.ssh/config\` is read as well).
reeve: 1
all:
  hosts:
    here: { transport: local }
  children:
    servers:
      hosts:
        # k3s-1: { address: 192.0.2.11 }
    agents:
      hosts:
        # k3s-2: { address: 192.0.2.12 }
`,
  'inventory/group_vars/all.yaml': `# Variables of every host.
# ssh_user: admin
# become: true
greeting: managed by reeve
`,
  'playbooks/hello.yaml': `name: Say hello
description: Looks at every host and keeps one small file on it.
inputs:
  folder:
    type: string
    default: /tmp
    description: Folder on the hosts that the file is kept in.
plays:
  - name: hello
    hosts: all
    tasks:
      - name: keep a note
        copy:
          dest: '{{ inputs.folder }}/reeve-hello'
          content: |
            {{ greeting }}
      - name: ask for the kernel
        command: { argv: [uname, -sr], reads: true }
        register: kernel
      - name: say which kernel it is
        debug: '{{ host.name }} runs {{ kernel.stdout }}'
`,
  '.gitignore': `# Secrets and what runs leave behind.
*.key
*.pem
.env
.reeve/
`,
  'README.md': `# Our machines

    reeve doctor                               # can every host be reached and worked on?
    reeve run playbooks/hello.yaml --check     # what would change? nothing is written
    reeve run playbooks/hello.yaml             # do it; a second run changes nothing

Hosts and how to reach them: \`inventory/\`. What is done: \`playbooks/\`.
\`reeve modules\` lists what a task can do, \`reeve docs copy\` explains one of them.
\`reeve validate playbooks/*.yaml -i inventory\` finds mistakes without connecting.
`,
};
