import {
  type CommandDefinition,
  INVENTORY_OPTION,
  type OptionGroup,
  type OptionRow,
  REFRESH_OPTION,
} from './options.ts';

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

const SECRETS: OptionGroup = {
  title: 'Secrets',
  options: [
    ['--vault-id <source>', 'ansible-vault password: FILE, SCRIPT or prompt, or ID@ before it; may be repeated'],
    ['--vault-password-file <file>', 'The same as --vault-id FILE'],
    ['-J, --ask-vault-pass', 'Ask for the ansible-vault password'],
  ],
};

const OUTPUT: OptionGroup = {
  title: 'Output',
  options: [
    ['--output <format>', 'tree, plain or json; default: a tree on a terminal, else plain lines'],
    ['-D, --diff', 'Show what changes as unified diffs'],
    ['-v, --verbose', 'Show every task with its results, and the live output of commands'],
    ['--report <dir>', 'At the end write every report there: action log, HTML, JSON, JUnit, GitHub'],
  ],
};

const RUNS: OptionRow = ['--runs <dir>', 'Where runs are recorded (REEVE_RUNS); default .reeve/runs'];

const APPROVE: OptionRow = [
  '--approve <name:hash>',
  'Approve of exactly the plan that --check showed, where the playbook has `approval:`',
];

const HOW: OptionGroup = {
  title: 'How it runs',
  options: [
    ['-C, --check', 'Say what would change; write nothing'],
    ['--detailed-exitcode', 'With --check: exit 10 when changes are pending or unknown'],
    ['-f, --forks <n>', 'Hosts at a time (default 50)'],
    ['-y, --yes', 'Answer every `confirm:` with yes'],
    APPROVE,
    RUNS,
  ],
};

const LOCKS: OptionRow[] = [
  [
    '--lock <name>',
    'Hold this lock too: NAME in the cluster, NAME@HOST on a host, NAME@localhost here; may be repeated',
  ],
  ['--lock-wait <duration>', 'Wait for a lock that another run has, such as 10m; without it the run is refused'],
];

const LIMIT: OptionRow = ['-l, --limit <pattern>', 'Only these hosts: `web:!web3`; may be repeated'];

/** Every command; each one's code is loaded when it is called. */
export const COMMANDS: readonly CommandDefinition[] = [
  {
    usage: 'run <playbook>',
    description: 'Run a playbook',
    details:
      'Everything is checked before the first connection; all mistakes are shown at once. Ctrl-C finishes the running tasks and stops; a second one stops at once.',
    groups: [
      {
        title: 'What it runs on',
        options: [
          INVENTORY_OPTION,
          REFRESH_OPTION,
          LIMIT,
          EXTRA_VARS,
          ['-t, --tags <tags>', 'Only steps with one of these tags: `a,b`'],
          ['--skip-tags <tags>', 'No steps with one of these tags'],
        ],
      },
      HOW,
      {
        title: 'When something goes wrong',
        options: [
          [
            '--on-failure <how>',
            'stop (default), rollback (take back all changes) or pause (nothing more starts; resume goes on), where a play says nothing',
          ],
          ...LOCKS,
        ],
      },
      OUTPUT,
      CONNECTION,
      SECRETS,
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
    usage: 'resume <run>',
    description: 'Go on with a run that died, failed or was interrupted',
    details:
      'RUN is an id, the beginning of one, `last`, or the path of a run’s folder. What the journal says is done is not done again. Secret inputs are asked for, or given with -e, again.',
    groups: [
      {
        title: 'Options',
        options: [
          EXTRA_VARS,
          ['--accept-changes', 'Go on although playbook or inventory are not what was run before'],
          APPROVE,
          ['-y, --yes', 'Answer every `confirm:` with yes'],
          LOCKS[1]!,
          RUNS,
        ],
      },
      OUTPUT,
      CONNECTION,
      SECRETS,
    ],
    examples: ['reeve resume last'],
    run: async ([run], options) => (await import('./commands/resume.ts')).resume(run!, options),
  },
  {
    usage: 'rollback <run>',
    description: 'Take the changes of a run back, the last one first',
    details:
      'Says first what can and what cannot be undone, and asks. Stops at the first change that does not go back; run it\nagain to go on from there.',
    groups: [
      {
        title: 'Options',
        options: [
          ['--to <play>', 'Keep this play and those before it'],
          ['-C, --check', 'Only say what would be undone'],
          ['-y, --yes', 'Do not ask'],
          ['--accept-changes', 'Go on although playbook or inventory are not what was run'],
          EXTRA_VARS,
          LOCKS[1]!,
          RUNS,
        ],
      },
      OUTPUT,
      CONNECTION,
      SECRETS,
    ],
    examples: ['reeve rollback last --check', 'reeve rollback last --to Snapshot'],
    run: async ([run], options) => (await import('./commands/rollback.ts')).rollback(run!, options),
  },
  {
    usage: 'status [run]',
    description: 'Show what a run is doing, or how it ended',
    groups: [
      { title: 'Options', options: [['--follow', 'Go on showing it until it is over'], ['--json', 'As JSON'], RUNS] },
    ],
    examples: ['reeve status', 'reeve status last --follow'],
    run: async ([run], options) => (await import('./commands/status.ts')).status(run, options),
  },
  {
    usage: 'lock <action> [name]',
    description: 'List locks, or break one',
    details:
      'ACTION is `list` or `break`. Locks are in the cluster, or with @HOST on a host of the inventory: `lock list @HOST`, `lock break NAME@HOST`. A run whose lock is broken stops before its next effect. The lock of a run that died expires by itself within a minute or so; `lock list` says so of a run that is recorded here and whose process is gone.',
    groups: [{ title: 'Options', options: [INVENTORY_OPTION, EXTRA_VARS, ['--json', 'As JSON'], RUNS] }, CONNECTION],
    examples: ['reeve lock list', 'reeve lock list @bastion', 'reeve lock break upgrade-k3s'],
    run: async ([action, name], options) => (await import('./commands/lock.ts')).lock(action!, name, options),
  },
  {
    usage: 'history',
    description: 'List the recorded runs',
    groups: [
      {
        title: 'Options',
        options: [
          ['--playbook <name>', 'Only runs of this playbook'],
          ['--host <name>', 'Only runs on this host'],
          [
            '--result <result>',
            'done, failed, unreachable, refused, interrupted, error, died, running, unknown or rolled back',
          ],
          ['--json', 'As JSON'],
          ['--cluster', 'The upgrades that the cluster of the inventory remembers'],
          INVENTORY_OPTION,
          EXTRA_VARS,
          RUNS,
        ],
      },
      SECRETS,
    ],
    examples: ['reeve history --result failed', 'reeve history --cluster -i inventory/production'],
    run: async (_args, options) => (await import('./commands/history.ts')).history(options),
  },
  {
    usage: 'report <run>',
    description: 'Print a report of a recorded run',
    details:
      'RUN is an id, the beginning of one, `last`, or the path of a run’s folder. md is the action log, html one file to look at in a browser, json one document, junit XML for CI systems, github annotations (and the summary of the step, where GITHUB_STEP_SUMMARY is set).',
    groups: [
      {
        title: 'Options',
        options: [
          ['--format <format>', 'md, html, json, junit or github; default md'],
          ['--output <file>', 'Write it there instead of to the terminal'],
          RUNS,
        ],
      },
    ],
    examples: ['reeve report last --format html --output upgrade.html', 'reeve report 20260102-0304 > action-log.md'],
    run: async ([run], options) => (await import('./commands/report.ts')).report(run!, options),
  },
  {
    usage: 'note <run> [...words]',
    description: 'Add a note to a run; its action log shows it',
    details: 'What is secret in the playbook and its inventory is masked in the note as well.',
    groups: [{ title: 'Options', options: [RUNS] }, SECRETS],
    examples: ['reeve note last "web was slow for a minute; nobody complained"'],
    run: async ([run, words], options) => (await import('./commands/note.ts')).note(run!, words!, options),
  },
  {
    usage: 'runbook <playbook>',
    description: 'Write a playbook down as a runbook for a person',
    details:
      'Markdown: what must hold first, every step with what it does, what is checked, how to take it back and when. Nothing is connected to. With -i the hosts are named.',
    groups: [
      { title: 'Options', options: [INVENTORY_OPTION, EXTRA_VARS, ['--output <file>', 'Write it there']] },
      SECRETS,
    ],
    examples: ['reeve runbook playbooks/upgrade-k3s.yaml -i inventory/production > runbook.md'],
    run: async ([playbook], options) => (await import('./commands/runbook.ts')).runbook(playbook!, options),
  },
  {
    usage: 'validate <...files>',
    description: 'Check playbooks without connecting anywhere',
    details:
      'Shows every mistake of every file at once and exits with 4 when there is one. With -i, host names and variables are checked too.',
    groups: [{ title: 'Options', options: [INVENTORY_OPTION] }, SECRETS],
    examples: ['reeve validate playbooks/*.yaml -i inventory/production'],
    run: async ([files], options) => (await import('./commands/validate.ts')).validate(files!, options),
  },
  {
    usage: 'doctor [pattern]',
    description: 'Check that hosts and cluster have what a run needs',
    details:
      'Connects to every host (or those of PATTERN), changes nothing, and gives for each finding the line that mends it. Exit code 0: all is well, 2: something must be mended, 3: a host cannot be reached.',
    groups: [
      { title: 'Options', options: [INVENTORY_OPTION, EXTRA_VARS, ['--output <format>', 'plain or json']] },
      CONNECTION,
      SECRETS,
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
          REFRESH_OPTION,
          ['--graph', 'Groups and hosts as a tree'],
          ['--list', 'Groups, hosts and variables as JSON'],
          ['--host <name>', 'Variables of one host as JSON'],
          ['--export', 'As --list, but groups keep their variables and hosts show only their own'],
          ['--mermaid', 'Groups and hosts as a Mermaid flow chart'],
        ],
      },
      SECRETS,
    ],
    examples: ['reeve inventory -i inventory/production --graph'],
    run: async (_args, options) => (await import('./commands/inventory.ts')).inventory(options),
  },
  {
    usage: 'explain <variable>',
    description: 'Show the value of a variable and every place that sets it',
    details:
      'Places are listed weakest first; the arrow marks the one that counts. With --playbook its variables and those of\nits plays are looked at too.',
    groups: [
      {
        title: 'Options',
        options: [
          INVENTORY_OPTION,
          REFRESH_OPTION,
          ['--host <pattern>', 'Only for these hosts'],
          ['--playbook <file>', 'Look at the variables of this playbook too'],
          EXTRA_VARS,
          ['--json', 'As JSON'],
        ],
      },
      SECRETS,
    ],
    examples: ['reeve explain k3s_version --host k3s-1 -i inventory/production'],
    run: async ([name], options) => (await import('./commands/explain.ts')).explain(name!, options),
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
      SECRETS,
    ],
    examples: ['reeve exec all command uptime', 'reeve exec agents service name=k3s-agent state=restarted -b'],
    run: async ([pattern, module, args], options) =>
      (await import('./commands/exec.ts')).exec(pattern!, module!, args!, options),
  },
  {
    usage: 'secret <action> <file>',
    description: 'Encrypt, decrypt, edit or rekey a SOPS file',
    details:
      'ACTION is encrypt (in place), decrypt (to stdout; ansible-vault files too), edit (in memory, never on the disk) or rekey (a new key, for those that --age names or for the same people). Private keys are looked for in SOPS_AGE_KEY, SOPS_AGE_KEY_FILE and ~/.config/sops/age/keys.txt.',
    groups: [
      {
        title: 'Options',
        options: [['--age <recipient>', 'Encrypt for this age public key; may be repeated; default: .sops.yaml']],
      },
      SECRETS,
    ],
    examples: ['reeve secret encrypt group_vars/all/secrets.yaml --age age1…', 'reeve secret edit secrets.yaml'],
    run: async ([action, file], options) => (await import('./commands/secret.ts')).secret(action!, file!, options),
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
