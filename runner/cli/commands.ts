import { type CommandDefinition, INVENTORY_OPTION, type OptionRow } from './options.ts';

const CONNECTION_OPTIONS: OptionRow[] = [
  ['--host-key-checking <mode>', 'ask, strict, accept-new or off (REEVE_HOST_KEY_CHECKING)'],
  ['--ask-become-pass', 'Ask for the password of sudo, su or doas'],
];

const RUN_OPTIONS: OptionRow[] = [
  INVENTORY_OPTION,
  ['-l, --limit <pattern>', 'Only these hosts; may be repeated'],
  ['-e, --extra-vars <name=value>', 'Set an input or a variable; @file reads a YAML file; may be repeated'],
  ['-C, --check', 'Show what would change; write nothing'],
  ['-D, --diff', 'Show differences as unified diffs'],
  ['-f, --forks <n>', 'Hosts at a time (default 50)'],
  ['-y, --yes', 'Answer every confirm with yes'],
  ['--output <format>', 'auto, tree, plain or json (default auto: a tree on a terminal, else plain)'],
  ['-v, --verbose', 'Show results of tasks that changed nothing too'],
  ['--detailed-exitcode', 'With --check: exit 10 when changes are pending or unknown'],
  ...CONNECTION_OPTIONS,
];

/** Every command; each one's code is loaded when it is called. */
export const COMMANDS: readonly CommandDefinition[] = [
  {
    usage: 'run <playbook>',
    description: 'Run a playbook',
    options: [
      ...RUN_OPTIONS,
      ['-t, --tags <tags>', 'Only steps with these tags'],
      ['--skip-tags <tags>', 'No steps with these tags'],
      ['--list-hosts', 'List the hosts of each play and end'],
      ['--list-tasks', 'List the tasks of each play and end'],
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
    options: [INVENTORY_OPTION],
    examples: ['reeve validate playbooks/*.yaml -i inventory/production'],
    run: async ([files], options) => (await import('./commands/validate.ts')).validate(files!, options),
  },
  {
    usage: 'doctor [pattern]',
    description: 'Check before the first run that everything a run needs is there',
    options: [INVENTORY_OPTION, ...CONNECTION_OPTIONS],
    examples: ['reeve doctor -i inventory/production servers'],
    run: async ([pattern], options) => (await import('./commands/doctor.ts')).doctor(pattern, options),
  },
  {
    usage: 'inventory',
    description: 'Show what an inventory says',
    options: [
      INVENTORY_OPTION,
      ['--list', 'Groups, hosts and variables as JSON'],
      ['--graph', 'Groups and hosts as a tree'],
      ['--host <name>', 'Variables of one host as JSON'],
    ],
    examples: ['reeve inventory -i inventory/production --graph'],
    run: async (_args, options) => (await import('./commands/inventory.ts')).inventory(options),
  },
  {
    usage: 'modules',
    description: 'List the modules',
    options: [['--json', 'As JSON']],
    run: async (_args, options) => (await import('./commands/modules.ts')).modules(options),
  },
  {
    usage: 'docs <name>',
    description: 'Show the page of a module or keyword',
    options: [],
    examples: ['reeve docs copy'],
    run: async ([name]) => (await import('./commands/docs.ts')).docs(name!),
  },
  {
    usage: 'exec <pattern> <module> [...args]',
    description: 'Run one module on hosts (ad hoc)',
    options: [...RUN_OPTIONS, ['-b, --become', 'Become root'], ['--become-user <user>', 'Become this user']],
    examples: [
      'reeve exec all command uptime -i inventory/production',
      'reeve exec agents service name=k3s-agent state=restarted',
    ],
    run: async ([pattern, module, args], options) =>
      (await import('./commands/exec.ts')).exec(pattern!, module!, args!, options),
  },
  {
    usage: 'init [folder]',
    description: 'Make a starter project',
    options: [],
    run: async ([folder]) => (await import('./commands/init.ts')).init(folder),
  },
];
