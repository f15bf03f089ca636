import { EXIT } from '../errors.ts';
import { type CommandDefinition, commandName } from './options.ts';
import { marked, unmarked, unmarkedOptions, withoutMarks } from './raw-words.ts';
import { reportError, UsageError } from './report-error.ts';
import { version } from './version.ts';

/**
 * The command line: parses argv, runs one command, and turns whatever it throws into lines on stderr and an exit code.
 * @param argv as in process.argv.
 */
export async function main(argv: string[]): Promise<number> {
  const [, , first] = argv;
  // Answered before anything is loaded.
  if (first === '--version' || first === '-V') {
    console.log(`reeve ${version()}`);
    return EXIT.done;
  }
  try {
    return (await help(argv)) ?? (await dispatch(argv));
  } catch (error) {
    return reportError(error);
  }
}

/** `reeve`, `reeve help [COMMAND]`, and `--help` anywhere before a `--`. */
async function help(argv: string[]): Promise<number | undefined> {
  const words = argv.slice(2);
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
  const isAsked = own[0] === 'help' || own.includes('--help') || own.includes('-h');
  if (own.length > 0 && !isAsked) return undefined;
  const [{ COMMANDS }, { commandHelp, generalHelp }] = await Promise.all([
    import('./commands.ts'),
    import('./help.ts'),
  ]);
  const name = own.find((word) => word !== 'help' && !word.startsWith('-'));
  const text = name === undefined ? generalHelp(COMMANDS) : commandHelp(commandNamed(COMMANDS, name));
  console.log(text);
  return isAsked ? EXIT.done : EXIT.usage;
}

async function dispatch(argv: string[]): Promise<number> {
  const [{ cac }, { COMMANDS }] = await Promise.all([import('cac'), import('./commands.ts')]);
  const cli = cac('reeve');
  let chosen: Promise<number> | undefined;
  let definition: CommandDefinition | undefined;
  for (const one of COMMANDS) {
    const command = cli.command(one.usage, one.description);
    for (const { options } of one.groups)
      for (const [flags, description] of options) command.option(flags, description);
    command.action((...args: unknown[]) => {
      const options = unmarkedOptions(args.pop() as Record<string, unknown>);
      chosen = one.run(args.map(unmarked) as never[], options);
    });
  }
  try {
    cli.parse(marked(argv), { run: false });
    const word = cli.matchedCommandName ?? (unmarked(cli.args[0]) as string | undefined);
    if (word === undefined) throw new UsageError('there is no command');
    definition = commandNamed(COMMANDS, word);
    cli.runMatchedCommand();
  } catch (error) {
    if ((error as Error).name !== 'CACError') throw error;
    throw asUsageError(withoutMarks((error as Error).message), definition);
  }
  return (await chosen) ?? EXIT.done;
}

function commandNamed(commands: readonly CommandDefinition[], name: string): CommandDefinition {
  const found = commands.find((command) => commandName(command) === name);
  if (found) return found;
  throw new UsageError(`there is no command "${name}"`, {
    word: name,
    among: commands.map(commandName),
    shown: (near) => `reeve ${near}`,
    otherwise: '`reeve --help` lists the commands',
  });
}

/** Says in our words what the parser of the command line found wrong. */
function asUsageError(message: string, definition: CommandDefinition | undefined): UsageError {
  const help = definition ? `\`reeve ${commandName(definition)} --help\` shows how it is used` : undefined;
  const unknown = /^Unknown option `(-+)([^`]+)`/.exec(message);
  if (unknown) {
    const names = definition?.groups.flatMap(({ options }) => options.flatMap(([flags]) => flagsOf(flags))) ?? [];
    return new UsageError(`there is no option ${unknown[1]}${unknown[2]}`, {
      word: unknown[2]!,
      among: names.map((name) => name.replace(/^-+/, '')).filter((name) => name.length > 1),
      shown: (near) => `--${near}`,
      otherwise: help,
    });
  }
  const missing = /^option `([^`]+)` value is missing/.exec(message);
  if (missing) return new UsageError(`the option ${missing[1]} needs a value`, help);
  if (message.startsWith('missing required args') && definition) {
    const wanted = definition.usage
      .replaceAll(/[<>]|\.\.\./g, '')
      .split(' ')
      .slice(1);
    return new UsageError(
      `${commandName(definition)} needs: ${wanted.filter((word) => !word.startsWith('[')).join(', ')}`,
      help,
    );
  }
  const unused = /^Unused args: (.*)$/.exec(message);
  if (unused) return new UsageError(`too many words: ${unused[1]!.replaceAll('`', '')}`, help);
  return new UsageError(message, help);
}

function flagsOf(flags: string): string[] {
  return flags.split(/, | </).filter((part) => part.startsWith('-'));
}
