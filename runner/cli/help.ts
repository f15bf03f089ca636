import { type CommandDefinition, commandName, type OptionRow } from './options.ts';

/** Where descriptions begin at the latest; a longer flag has a line of its own. */
const MOST_WIDTH = 32;

/** The help of reeve itself. */
export function generalHelp(commands: readonly CommandDefinition[]): string {
  return [
    'reeve runs playbooks on hosts over SSH and on Kubernetes clusters. Nothing is installed on the hosts.',
    '',
    'Usage: reeve COMMAND [OPTIONS]',
    '',
    'Commands',
    ...columns(commands.map((command) => [shownUsage(command), command.description])),
    '',
    '`reeve COMMAND --help` says more about a command; `reeve --version` prints the version.',
    '',
    'Exit codes',
    ...columns([
      ['0', 'Done'],
      ['1', 'An unexpected error'],
      ['2', 'A task failed'],
      ['3', 'A host could not be reached'],
      ['4', 'The playbook or the inventory is not valid'],
      ['5', 'Wrong use of the command line'],
      ['6', 'Refused: by a person, a lock or a gate'],
      ['10', 'With --detailed-exitcode: changes are pending'],
      ['130', 'Interrupted'],
    ]),
  ].join('\n');
}

/** The help of one command. */
export function commandHelp(command: CommandDefinition): string {
  const { description, details, groups, examples = [] } = command;
  const lines = [`${description}.`, '', `Usage: reeve ${shownUsage(command)}${groups.length > 0 ? ' [OPTIONS]' : ''}`];
  if (details) lines.push('', details);
  for (const { title, options } of groups) lines.push('', title, ...columns(options));
  if (examples.length > 0) lines.push('', 'Examples', ...examples.map((example) => `  ${example}`));
  return lines.join('\n');
}

/** `run PLAYBOOK`, for `run <playbook>`. */
function shownUsage(command: CommandDefinition): string {
  const args = command.usage.slice(commandName(command).length);
  return (
    commandName(command) +
    args
      .replaceAll(/<\.\.\.(\w+)>/g, (_, name: string) => `${name.toUpperCase().replace(/S$/, '')}…`)
      .replaceAll(/\[\.\.\.(\w+)\]/g, (_, name: string) => `[${name.toUpperCase()}]`)
      .replaceAll(/<(\w+)>/g, (_, name: string) => name.toUpperCase())
      .replaceAll(/\[(\w+)\]/g, (_, name: string) => `[${name.toUpperCase()}]`)
  );
}

function columns(rows: readonly OptionRow[]): string[] {
  const names = rows.map(([flags]) => shownFlags(flags));
  const width = Math.min(MOST_WIDTH, Math.max(...names.map((name) => name.length)));
  return rows.flatMap(([, description], index) => {
    const name = names[index]!;
    const [first, ...rest] = wrapped(description, 96 - width);
    const indent = ' '.repeat(width + 4);
    if (name.length > width) return [`  ${name}`, ...[first, ...rest].map((line) => indent + line)];
    return [`  ${name.padEnd(width)}  ${first}`, ...rest.map((line) => indent + line)];
  });
}

/** `-f, --forks N`; flags without a short form stand below the long ones. */
function shownFlags(flags: string): string {
  const shown = flags.replaceAll(/<([^>]+)>/g, (_, name: string) => name.toUpperCase());
  return shown.startsWith('--') ? `    ${shown}` : shown;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
