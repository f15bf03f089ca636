import { parse as parseYaml } from 'yaml';
import { modules } from '../../../modules/index.ts';
import { InvalidError } from '../../errors.ts';
import { parseDocument } from '../../load/parse.ts';
import { loadRun } from '../load-run.ts';
import { text } from '../options.ts';
import { UsageError } from '../report-error.ts';

/**
 * `reeve exec PATTERN MODULE [ARGS]`: one task on hosts. ARGS are `name=value` pairs (values are read as YAML), one YAML
 * mapping (`{ name: k3s }`), or, for modules with a shorthand, the text itself.
 */
export async function exec(
  pattern: string,
  module: string,
  args: string[],
  options: Record<string, unknown>,
): Promise<number> {
  const known = modules.get(module);
  if (!known) {
    throw new UsageError(`there is no module "${module}"`, {
      word: module,
      among: modules.keys(),
      otherwise: '`reeve modules` lists them',
    });
  }
  const play = {
    name: `exec ${module}`,
    hosts: pattern,
    ...(options.become === true || options.becomeUser !== undefined ? { become: true } : {}),
    ...(options.becomeUser === undefined ? {} : { become_user: text(options.becomeUser, '--become-user') }),
    tasks: [{ [module]: readArgs([...args, ...afterDashes(options)], known) }],
  };
  const source = JSON.stringify({ name: `exec ${module} on ${pattern}`, plays: [play] }, undefined, 2);
  const loaded = await loadRun(() => parseDocument(source, COMMAND_LINE), options, process.cwd()).catch(withoutPlaces);
  const { execute } = await import('../execute.ts');
  return execute({ file: COMMAND_LINE, ...loaded, options: { verbose: true, ...options } });
}

const COMMAND_LINE = '(command line)';

/** The text that was made from the command line is not the user's: only the messages help. */
function withoutPlaces(error: unknown): never {
  if (!(error instanceof InvalidError)) throw error;
  throw new InvalidError(
    error.diagnostics.map((diagnostic) => {
      if (diagnostic.place?.file !== COMMAND_LINE) return diagnostic;
      const { place: _, related: __, ...rest } = diagnostic;
      return rest;
    }),
  );
}

/** What follows `--` is never an option of reeve: `reeve exec all command -- df -h`. */
function afterDashes(options: Record<string, unknown>): string[] {
  return Array.isArray(options['--']) ? options['--'].map(String) : [];
}

function readArgs(args: string[], module: { args: { properties: object }; shorthand?: string }): unknown {
  if (args.length === 0) return {};
  const joined = args.join(' ');
  if (joined.trimStart().startsWith('{')) return parseYaml(joined);
  const names = Object.keys(module.args.properties);
  const pairs = args.map((arg) => /^([a-z_]+)=(.*)$/s.exec(arg));
  if (pairs.every((pair) => pair && names.includes(pair[1]!))) {
    return Object.fromEntries(pairs.map((pair) => [pair![1], parseYaml(pair![2]!)]));
  }
  if (module.shorthand !== undefined) return joined;
  const wrong = args[pairs.findIndex((pair) => !pair || !names.includes(pair[1]!))];
  throw new UsageError(
    `"${wrong}" is no argument of this module`,
    `arguments are name=value; there are ${names.join(', ')}`,
  );
}
