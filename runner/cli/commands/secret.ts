import { EXIT } from '../../errors.ts';
import { readText } from '../../load/read-text.ts';
import { UsageError } from '../report-error.ts';

type Action = (file: string, options: Record<string, unknown>) => Promise<number>;

const ACTIONS: Record<string, Action> = {
  encrypt,
  decrypt,
  edit: async (file, options) => (await import('../secret/edit.ts')).edit(file, options),
  rekey,
};

/** `reeve secret encrypt|decrypt|edit|rekey FILE` */
export async function secret(action: string, file: string, options: Record<string, unknown>): Promise<number> {
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act) return act(file, options);
  throw new UsageError(`secret has no action "${action}"`, {
    word: action,
    among: Object.keys(ACTIONS),
    shown: (near) => `reeve secret ${near}`,
    otherwise: `there are ${Object.keys(ACTIONS).join(', ')}`,
  });
}

/** In place: the plain text is on the disk already, and must not stay there. */
async function encrypt(file: string, options: Record<string, unknown>): Promise<number> {
  const [{ newSopsText }, { recipientsFor }, { writeFileAtomically }] = await Promise.all([
    import('../../secrets/sops/file.ts'),
    import('../secret/recipients.ts'),
    import('../secret/write-file.ts'),
  ]);
  const { recipients, rules } = recipientsFor(file, options);
  writeFileAtomically(file, await newSopsText(readText(file), file, recipients, rules));
  return EXIT.done;
}

/** To stdout, and nowhere else: what is redirected to a file is the user's decision. */
async function decrypt(file: string, options: Record<string, unknown>): Promise<number> {
  const text = readText(file);
  if (text.startsWith('$ANSIBLE_VAULT;')) {
    const { openSecrets } = await import('../secrets.ts');
    const secrets = openSecrets(options);
    process.stdout.write((await secrets.load(() => secrets.openText(text, file))) ?? '');
    return EXIT.done;
  }
  const { readSopsFile } = await import('../../secrets/sops/file.ts');
  process.stdout.write((await readSopsFile(file, process.env)).text);
  return EXIT.done;
}

/** For those that --age names, else for those it is for: with a new data key either way. */
async function rekey(file: string, options: Record<string, unknown>): Promise<number> {
  const [{ readSopsFile, rekeyedSopsText }, { splitRecipients }, { writeFileAtomically }, { texts }] =
    await Promise.all([
      import('../../secrets/sops/file.ts'),
      import('../../secrets/sops/creation-rules.ts'),
      import('../secret/write-file.ts'),
      import('../options.ts'),
    ]);
  const opened = await readSopsFile(file, process.env);
  const named = splitRecipients(texts(options.age));
  const recipients = named.length > 0 ? named : opened.metadata.age.map(({ recipient }) => recipient);
  writeFileAtomically(file, await rekeyedSopsText(opened, recipients));
  return EXIT.done;
}
