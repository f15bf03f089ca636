import { type CommandDefinition, INVENTORY_OPTION, type OptionGroup, type OptionRow } from './options.ts';

const EXTRA_VARS: OptionRow = [
  '-e, --extra-vars <name=value>',
  'Set an input or a variable; @FILE reads a mapping; may be repeated',
];

const CONNECTION: OptionGroup = {
  title: 'Connections',
  options: [
    ['--host-key-checking <mode>', 'ask, strict, accept-new or off; default ask on a terminal, else strict'],
    ['-K, --ask-become-pass', 'Ask once for the password of sudo, su or doas'],
  ],
};

const OUTPUT: OptionGroup = {
  title: 'Output',
  options: [
    ['--output <format>', 'tree, plain or json; default: a tree on a terminal, else plain lines'],
    ['-D, --diff', 'Show what changes as unified diffs'],
    ['-v, --verbose', 'Show every task with its results, and the live output of commands'],
  ],
};

const HOW: OptionGroup = {
  title: 'How it runs',
  options: [
    ['-C, --check', 'Say what would change; write nothing'],
    ['--detailed-exitcode', 'With --check: exit 10 when changes are pending or unknown'],
    ['-f, --forks <n>', 'Hosts at a time (default 50)'],
    ['-y, --yes', 'Answer every `confirm:` with yes'],
  ],
};

const LIMIT: OptionRow = ['-l, --limit <pattern>', 'Only these hosts: `web:!web3`; may be repeated'];

/** Every command; each one's code is loaded when it is called. */
export const COMMANDS: readonly CommandDefinition[] = [
  {
    usage: 'run <playbook>',
    description: 'Run a playbook',
    details:
      'Everything is checked before the first connection; all mistakes are shown at once. Ctrl-C finishes the running\ntasks and stops; a second one stops at once.',
    groups: [
      {
        title: 'What it runs on',
        options: [
          INVENTORY_OPTION,
          LIMIT,
          EXTRA_VARS,
          ['-t, --tags <tags>', 'Only steps with one of these tags: `a,b`'],
          ['--skip-tags <tags>', 'No steps with one of these tags'],
        ],
      },
      HOW,
      OUTPUT,
      CONNECTION,
      {
        title: 'Look without running',
        options: [
          ['--list-hosts', 'List the hosts of each play'],
          ['--list-tasks', 'List the tasks of each play'],
          ['--list-tags', 'List the tags of each play'],
        ],
      },
    ],
    examples: [
      'reeve run playbooks/upgrade-k3s.yaml -i inventory/production --check',
      'reeve run site.yaml -l "web:!web3" -e version=1.2',
    ],
    run: async ([playbook], options) => (await import('./commands/run.ts')).run(playbook!, options),
  },
  {
    usage: 'validate <...files>',
    description: 'Check playbooks without connecting anywhere',
    details:
      'Shows every mistake of every file at once and exits with 4 when there is one. With -i, host names and\nvariables are checked too.',
    groups: [{ title: 'Options', options: [INVENTORY_OPTION] }],
    examples: ['reeve validate playbooks/*.yaml -i inventory/production'],
    run: async ([files], options) => (await import('./commands/validate.ts')).validate(files!, options),
  },
  {
    usage: 'doctor [pattern]',
    description: 'Check that hosts and cluster have what a run needs',
    details:
      'Connects to every host (or those of PATTERN), changes nothing, and gives for each finding the line that mends it.\nExit code 0: all is well, 2: something must be mended, 3: a host cannot be reached.',
    groups: [
      { title: 'Options', options: [INVENTORY_OPTION, EXTRA_VARS, ['--output <format>', 'plain or json']] },
      CONNECTION,
    ],
    examples: ['reeve doctor -i inventory/production', 'reeve doctor servers'],
    run: async ([pattern], options) => (await import('./commands/doctor.ts')).doctor(pattern, options),
  },
  {
    usage: 'inventory',
    description: 'Show what an inventory says',
    groups: [
      {
        title: 'Options',
        options: [
          INVENTORY_OPTION,
          ['--graph', 'Groups and hosts as a tree'],
          ['--list', 'Groups, hosts and variables as JSON'],
          ['--host <name>', 'Variables of one host as JSON'],
        ],
      },
    ],
    examples: ['reeve inventory -i inventory/production --graph'],
    run: async (_args, options) => (await import('./commands/inventory.ts')).inventory(options),
  },
  {
    usage: 'modules',
    description: 'List what a task can do',
    groups: [{ title: 'Options', options: [['--json', 'As JSON']] }],
    run: async (_args, options) => (await import('./commands/modules.ts')).modules(options),
  },
  {
    usage: 'docs <name>',
    description: 'Explain a module or a keyword',
    groups: [],
    examples: ['reeve docs copy', 'reeve docs serial'],
    run: async ([name]) => (await import('./commands/docs.ts')).docs(name!),
  },
  {
    usage: 'exec <pattern> <module> [...args]',
    description: 'Run one module on hosts, without a playbook',
    details: 'ARGS are name=value pairs, a YAML mapping, or for modules with a shorthand the text itself.',
    groups: [
      {
        title: 'What it runs on',
        options: [
          INVENTORY_OPTION,
          LIMIT,
          EXTRA_VARS,
          ['-b, --become', 'Become root'],
          ['--become-user <user>', 'Become this user'],
        ],
      },
      HOW,
      OUTPUT,
      CONNECTION,
    ],
    examples: ['reeve exec all command uptime', 'reeve exec agents service name=k3s-agent state=restarted -b'],
    run: async ([pattern, module, args], options) =>
      (await import('./commands/exec.ts')).exec(pattern!, module!, args!, options),
  },
  {
    usage: 'init [folder]',
    description: 'Make a starter project',
    details: 'An inventory, a first playbook and a README. Files that are there already are never overwritten.',
    groups: [],
    examples: ['reeve init my-cluster'],
    run: async ([folder]) => (await import('./commands/init.ts')).init(folder),
  },
];
