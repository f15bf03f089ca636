import { modules } from '../../../modules/index.ts';
import { COMMAND_LINE, InvalidError } from '../../errors.ts';
import { parseDocument } from '../../load/parse.ts';
import { moduleHint } from '../../playbook/foreign.ts';
import { readExecArgs } from '../exec-args.ts';
import { loadRun } from '../load-run.ts';
import { text } from '../options.ts';
import { UsageError } from '../report-error.ts';

/**
 * `reeve exec PATTERN MODULE [ARGS]`: one task on hosts.
 */
export async function exec(
  pattern: string,
  module: string,
  args: string[],
  options: Record<string, unknown>,
): Promise<number> {
  const known = modules.get(module);
  if (!known) {
    throw new UsageError(`there is no module "${module}"`, moduleHint(module, modules));
  }
  const play = {
    name: `exec ${module}`,
    hosts: pattern,
    ...(options.become === true || options.becomeUser !== undefined ? { become: true } : {}),
    ...(options.becomeUser === undefined ? {} : { become_user: text(options.becomeUser, '--become-user') }),
    tasks: [{ [module]: readExecArgs([...args, ...afterDashes(options)], known) }],
  };
  const source = JSON.stringify({ name: `exec ${module} on ${pattern}`, plays: [play] }, undefined, 2);
  const loaded = await loadRun(() => parseDocument(source, COMMAND_LINE), options, process.cwd()).catch(withoutPlaces);
  const { execute } = await import('../execute.ts');
  return execute({ file: COMMAND_LINE, byHand: true, ...loaded, options: { verbose: true, ...options } });
}

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
