import { modules } from '../../../modules/index.ts';
import { EXIT } from '../../errors.ts';
import { modulePage } from '../../generate/module-page.ts';
import { KEYWORDS } from '../../playbook/keywords.ts';
import { UsageError } from '../report-error.ts';

/** `reeve docs NAME`: the page of a module, or what a keyword means. */
export async function docs(name: string): Promise<number> {
  const module = modules.get(name);
  if (module) {
    // The mark of a generated file is for those who edit files.
    console.log(modulePage(module).replace(/^<!--.*-->\s*/, ''));
    return EXIT.done;
  }
  const keywords = KEYWORDS.filter((keyword) => keyword.name === name);
  if (keywords.length > 0) {
    for (const keyword of keywords) console.log(`${keyword.name} (${keyword.on.join(', ')}): ${keyword.description}`);
    return EXIT.done;
  }
  throw new UsageError(`there is no module and no keyword "${name}"`, {
    word: name,
    among: [...modules.keys(), ...KEYWORDS.map((keyword) => keyword.name)],
    otherwise: '`reeve modules` lists the modules',
  });
}
