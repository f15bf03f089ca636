import { modules } from '../../../modules/index.ts';
import { EXIT, InvalidError } from '../../errors.ts';
import { loadInventory } from '../../inventory/load.ts';
import { Masker } from '../../journal/masker.ts';
import type { Opener } from '../../load/opener.ts';
import { loadDocument } from '../../load/parse.ts';
import { fillInputs } from '../../playbook/fill-inputs.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import { readExtraVars } from '../extra-vars.ts';
import { givenInventory, text, texts } from '../options.ts';
import { openInputs } from '../record.ts';
import { replaceFile } from '../run-reports.ts';
import { runbook as render } from '../runbook/runbook.ts';
import { openSecrets } from '../secrets.ts';

/** `reeve runbook PLAYBOOK [-i INV]`: the playbook as a runbook for people; nothing is connected to. */
export async function runbook(file: string, options: Record<string, unknown>): Promise<number> {
  const secrets = openSecrets(options);
  const masker = new Masker();
  secrets.tellTo((value) => masker.add(value));
  const written = await secrets.load(() => write(file, options, secrets));
  // A runbook is for everybody's eyes: masked as far as its secrets can be opened here, which it does not need.
  await secrets.check().catch(() => {});
  const markdown = masker.text(written);
  const output = text(options.output, '--output');
  if (output === undefined) process.stdout.write(markdown);
  else replaceFile(output, markdown);
  return EXIT.done;
}

async function write(file: string, options: Record<string, unknown>, opener: Opener): Promise<string> {
  const { playbook, diagnostics } = parsePlaybook(loadDocument(file, { opener }), modules, opener);
  if (!playbook || diagnostics.some(({ severity }) => severity === 'error')) throw new InvalidError(diagnostics);
  const sources = givenInventory(options.inventory);
  const given = readExtraVars(texts(options.extraVars), opener);
  // What is missing is named in the runbook: whoever follows it gives it.
  const known = Object.entries(playbook.inputs).filter(
    ([name, { default: usual }]) => usual !== undefined || given.some((one) => one.name === name),
  );
  const filled = await fillInputs({ ...playbook, inputs: Object.fromEntries(known) }, given, {}, undefined);
  return render(playbook, {
    file,
    inputs: openInputs(playbook, filled.inputs),
    given: texts(options.extraVars).filter((one) => {
      const name = one.split('=', 1)[0]!;
      return !filled.givenSecrets.includes(name) && playbook.inputs[name]?.secret !== true;
    }),
    ...(sources.length > 0 ? { inventory: { sources, model: loadInventory(sources, { opener }) } } : {}),
  });
}
