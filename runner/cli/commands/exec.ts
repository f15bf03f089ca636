import { parse as parseYaml } from 'yaml';
import { modules } from '../../../modules/index.ts';
import { EXIT, InvalidError } from '../../errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { nearestName } from '../../language/nearest.ts';
import { parseDocument } from '../../load/parse.ts';
import { fillInputs } from '../../playbook/fill-inputs.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import { execute } from '../execute.ts';
import { readExtraVars } from '../extra-vars.ts';
import { inventorySources, text, texts } from '../options.ts';
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
    const near = nearestName(module, [...modules.keys()]);
    throw new UsageError(
      `there is no module "${module}"`,
      near ? `did you mean ${near}?` : '`reeve modules` lists them',
    );
  }
  const play = {
    name: `exec ${module}`,
    hosts: pattern,
    ...(options.become === true || options.becomeUser !== undefined ? { become: true } : {}),
    ...(options.becomeUser === undefined ? {} : { become_user: text(options.becomeUser, '--become-user') }),
    tasks: [{ [module]: readArgs(args, known) }],
  };
  const source = JSON.stringify({ name: `exec ${module} on ${pattern}`, plays: [play] }, undefined, 2);
  const { playbook, diagnostics } = parsePlaybook(parseDocument(source, '(command line)'), modules);
  if (!playbook || diagnostics.some((d) => d.severity === 'error')) {
    // The text that was made from the command line is not the user's: only the messages help.
    throw new InvalidError(diagnostics.map(({ place: _, related: __, ...rest }) => rest));
  }
  const sources = await inventorySources(options.inventory);
  const inventory = loadInventory(sources, process.cwd());
  const filled = await fillInputs(playbook, readExtraVars(texts(options.extraVars)), process.env, undefined);
  const exitCode = await execute({
    file: '(command line)',
    playbook,
    inventory,
    filled,
    options: { verbose: true, ...options },
  });
  return exitCode ?? EXIT.done;
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
