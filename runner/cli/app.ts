import { cac } from 'cac';
import { EXIT } from '../errors.ts';
import { COMMANDS } from './commands.ts';
import { reportError, UsageError } from './report-error.ts';
import { version } from './version.ts';

/**
 * The command line: parses argv, runs one command, and turns whatever it throws into lines on stderr and an exit code.
 * @param argv as in process.argv.
 */
export async function main(argv: string[]): Promise<number> {
  // Answered before anything is loaded.
  if (argv[2] === '--version' || argv[2] === '-V') {
    console.log(`reeve ${version()}`);
    return EXIT.done;
  }
  try {
    return await dispatch(argv);
  } catch (error) {
    return reportError(error);
  }
}

async function dispatch(argv: string[]): Promise<number> {
  const cli = cac('reeve');
  let chosen: Promise<number> | undefined;
  for (const definition of COMMANDS) {
    const command = cli.command(definition.usage, definition.description);
    for (const [flags, description, config] of definition.options) command.option(flags, description, config);
    for (const example of definition.examples ?? []) command.example(`  ${example}`);
    command.action((...args: unknown[]) => {
      const options = args.pop() as Record<string, unknown>;
      chosen = definition.run(args as never[], options);
    });
  }
  cli.help();
  try {
    cli.parse(argv, { run: false });
    if (cli.options.help) return EXIT.done;
    if (!cli.matchedCommand) return withoutCommand(cli.args[0], () => cli.outputHelp());
    cli.runMatchedCommand();
  } catch (error) {
    if ((error as Error).name === 'CACError') throw new UsageError((error as Error).message);
    throw error;
  }
  return (await chosen) ?? EXIT.done;
}

async function withoutCommand(word: string | undefined, help: () => void): Promise<number> {
  if (word === undefined) {
    help();
    return EXIT.usage;
  }
  const { nearestName } = await import('../language/nearest.ts');
  const near = nearestName(
    word,
    COMMANDS.map((c) => c.usage.split(' ')[0]!),
  );
  throw new UsageError(
    `there is no command "${word}"`,
    near ? `did you mean "reeve ${near}"?` : '`reeve --help` lists the commands',
  );
}
