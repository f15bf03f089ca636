import { COMMANDS } from '../cli/commands.ts';
import { commandHelp, generalHelp } from '../cli/help.ts';
import { commandName } from '../cli/options.ts';
import { HEADER } from './header.ts';

/** What `--help` says of every command, as one page. */
export function commandsPage(): string {
  const sections = COMMANDS.flatMap((command) => [
    `## reeve ${commandName(command)}`,
    '',
    '```text',
    commandHelp(command),
    '```',
    '',
  ]);
  return [`<!-- ${HEADER} -->`, '', '# Commands', '', '```text', generalHelp(COMMANDS), '```', '', ...sections].join(
    '\n',
  );
}
