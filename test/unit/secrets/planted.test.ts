import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, describe, expect, it } from 'vitest';
import { FORMATS } from '../../../runner/report/formats.ts';
import { newSopsText } from '../../../runner/secrets/sops/file.ts';
import { encryptVault } from '../../../runner/secrets/vault/decrypt.ts';
import { CliFolder, type CliResult } from '../../support/cli.ts';
import { SOURCE } from '../../support/program.ts';

/** One secret for each way in; none of them is a word that reeve says. */
const SECRETS = {
  sops: 'sops-/"\'-Zq81xwvu',
  sopsNumber: 8172635445,
  vaultFile: 'vaultfile-ü&=-Pk29',
  vaultPart: 'vaultpart-Wm47qq',
  vaultInline: 'vaultinline-Ty63aa\nsecond-line-Hn58',
  env: 'environment-Lc90bb',
  file: 'file-Xs12cc',
  exec: 'exec-Dr34dd',
  input: 'input-Gb56ee',
  extra: 'extra-Nv78ff',
  password: 'password-of-vault-Jk01gg',
};

const identity = await generateX25519Identity();
const recipient = await identityToRecipient(identity);
const cli = new CliFolder();
afterAll(() => cli[Symbol.dispose]());

const indented = (text: string) => text.trimEnd().replace(/^/gm, '        ');
cli.write(
  'inventory.yaml',
  `reeve: 1
all:
  hosts:
    a:
      transport: local
      from_env: !secret env:PLANTED
      from_file: !secret file:token
      from_exec: !secret exec:cat token2
      inline: !vault |
${indented(encryptVault(SECRETS.vaultInline, SECRETS.password))}
`,
);
cli.write('token', `${SECRETS.file}\n`);
cli.write('token2', `${SECRETS.exec}\n`);
cli.write('password', SECRETS.password);
const sops = async (name: string, value: unknown) =>
  cli.write(name, await newSopsText(JSON.stringify(value), name, [recipient], {}));
await sops('group_vars/all/sops.yaml', { from_sops: SECRETS.sops, number_from_sops: SECRETS.sopsNumber });
await sops('extra.yaml', { from_extra: SECRETS.extra });
// Too short to be masked, and still not in the inventory that a run keeps.
const vaultText = `short: Q7z\nfrom_vault: ${JSON.stringify(SECRETS.vaultFile)}\nmixed: "${SECRETS.vaultPart} on {{ inventory_hostname }}"\n`;
cli.write(
  'host_vars/a.yaml',
  encryptVault(vaultText.replace('inventory_hostname', 'host.name'), SECRETS.password, 'some-id'),
);

const NAMES = [
  'from_sops',
  'number_from_sops',
  'from_vault',
  'mixed',
  'inline',
  'from_env',
  'from_file',
  'from_exec',
  'from_extra',
  'inputs.typed',
];
const each = (form: (name: string) => string) => NAMES.map(form).join(' ');
cli.write(
  'play.yaml',
  `name: planted
notes:
  - call somebody with ${SECRETS.env}
  - and with ${Buffer.from(`x${SECRETS.file}`).toString('base64')} or ${encodeURIComponent(SECRETS.sops)}
inputs:
  typed: { type: string, secret: true }
vars:
  joined: "a {{ from_env }} b"
plays:
  - hosts: a
    gather_facts: false
    tasks:
      - name: outputs {{ from_env }}
        shell: |
          set -x
          printf '%s\\n' ${each((name) => `{{quote ${name === 'number_from_sops' ? `(json ${name})` : name}}}`)}
          for s in ${each((name) => `{{quote ${name === 'number_from_sops' ? `(json ${name})` : name}}}`)}; do
            printf '%s' "$s" | base64; printf 'x%s' "$s" | base64; printf 'xy%s' "$s" | base64; printf '%s' "$s" >&2
          done
        register: out
      - name: outputs in pieces
        shell: |
          for s in {{quote from_env}} {{quote inline}} {{quote from_vault}}; do printf '%s' "$s" | dd bs=1 2>/dev/null; done
      - name: outputs so much that it becomes a file
        shell: "n=0; while [ $n -lt 3000 ]; do echo {{quote from_env}} {{quote from_vault}} $n; n=$((n+1)); done"
        register: much
      - debug: { msg: "{{ out.stdout }} {{ joined }} {{ from_sops }} {{ json from_vault }} {{ b64 inline }}" }
      - name: a diff
        copy: { dest: "{{ playbook_dir }}/{{ from_env }}.conf", content: "key={{ from_sops }}\\n{{ inline }}\\n{{ mixed }}\\n" }
        vars: { playbook_dir: "${cli.dir}/out" }
      - set-vars: { learned: "{{ from_exec }}!" }
      - name: looped
        debug: { msg: "{{ item }}" }
        loop: ["{{ from_extra }}", "{{ from_file }}"]
      - name: fails
        command: { argv: [sh, -c, "echo {{quote from_vault}} >&2; exit 3"] }
        ignore_errors: true
      - name: asserts
        assert: { that: 'from_env == "no"', fail_msg: "{{ from_env }} is not no" }
`,
);

/** Everything in a folder as one text, names too. */
function everything(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path}\n${readFileSync(path, 'latin1')}` : path;
    })
    .join('\n');
}

/** What must not be found of a secret, as bytes read as latin1. */
function traces(secret: string): string[] {
  const latin1 = (text: string) => Buffer.from(text).toString('latin1');
  const lines = secret.split('\n');
  const encoded = lines.flatMap((line) =>
    ['', 'x', 'xy'].map((before) =>
      Buffer.from(before + line)
        .toString('base64')
        .slice(4, -6),
    ),
  );
  return [
    ...lines.map(latin1),
    ...lines.map((line) => latin1(JSON.stringify(line).slice(1, -1))),
    ...lines.map(encodeURIComponent),
    ...encoded,
  ];
}

const env = {
  PLANTED: SECRETS.env,
  SOPS_AGE_KEY: identity,
  REEVE_INPUT_TYPED: SECRETS.input,
};
const run = (args: string[] = [], more: Record<string, string> = {}): Promise<CliResult> =>
  cli.run(
    [
      'run',
      'play.yaml',
      '-i',
      'inventory.yaml',
      '--diff',
      '-v',
      '-e',
      '@extra.yaml',
      '--vault-password-file',
      'password',
      ...args,
    ],
    { ...env, ...more },
  );

const kept = new Map<string, Promise<{ runs: string; result: CliResult }>>();

/** A run that has failed at its last task, the same one for all tests. */
function finished(format: 'json' | 'plain') {
  const known = kept.get(format) ?? start();
  kept.set(format, known);
  return known;

  async function start() {
    cli.write('out/.keep', '');
    const runs = join(cli.dir, `runs-${format}`);
    const result = await run(['--output', format, '--runs', runs, '--report', join(runs, 'reports')]);
    expect(result.code, result.stderr).toBe(2);
    return { runs, result };
  }
}

const NOTE = `told ${SECRETS.sops} and ${Buffer.from(SECRETS.file).toString('base64')} to ${SECRETS.vaultPart} on, ${encodeURIComponent(SECRETS.vaultFile)}`;

describe('secrets that are everywhere', () => {
  it.each(['json', 'plain'] as const)('are nowhere in the %s output and in the folder of the run', async (format) => {
    const { runs, result } = await finished(format);
    const more = ['--runs', runs];
    const note = await cli.run(['note', 'last', NOTE, '--vault-password-file', 'password', ...more], env);
    expect(note).toMatchObject({ code: 0, stderr: '' });
    // They read the same of both.
    const formats = format === 'plain' ? FORMATS : [];
    const commands = [['status'], ['history', '--json'], ...formats.map((one) => ['report', 'last', '--format', one])];
    const later = await Promise.all(commands.map((args) => cli.run([...args, ...more], env)));
    for (const { code, stderr } of later) expect([code, stderr]).toEqual([0, '']);
    const printed = [result, note, ...later].map(({ stdout, stderr }) => stdout + stderr).join('\n');
    const shown = `${Buffer.from(printed).toString('latin1')}\n${everything(runs)}`;
    // It did run, with the real values.
    expect(existsSync(join(cli.dir, 'out', `${SECRETS.env}.conf`))).toBe(true);
    expect(readFileSync(join(cli.dir, 'out', `${SECRETS.env}.conf`), 'utf8')).toContain(SECRETS.vaultPart + ' on a');
    expect(shown.split('********').length).toBeGreaterThan(50);
    for (const file of ['action-log.md', 'run.log', 'events.jsonl', 'notes.jsonl', 'report.html', 'junit.xml'])
      expect(shown.includes(`/${file}\n`), file).toBe(true);
    expect(readdirSync(join(runs, readdirSync(runs)[0]!, 'artefacts')).join()).toContain('stdout');
    const notes = readFileSync(join(runs, readdirSync(runs)[0]!, 'notes.jsonl'), 'utf8');
    expect(notes).toMatch(/"told \*{8} and \*{8}\S{0,4} to \*{8}, \*{8}"/);
    expect(everything(runs)).not.toContain('Q7z');
    for (const [name, secret] of Object.entries(SECRETS)) {
      for (const trace of traces(String(secret))) {
        expect(shown.includes(trace), `${name} as ${trace}: ${around(shown, trace)}`).toBe(false);
      }
    }
  });

  it('a note whose secrets cannot all be opened says so', async () => {
    const { runs } = await finished('plain');
    const note = await cli.run(['note', 'last', SECRETS.env, '--runs', runs], { ...env, SOPS_AGE_KEY: '' });
    expect(note).toMatchObject({ code: 0, stderr: expect.stringContaining('not every secret') });
  });
});

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return at < 0 ? '' : text.slice(Math.max(0, at - 80), at + part.length + 40);
}

describe('what cannot be opened stops the run before it begins', () => {
  it.each<[string, string[], Record<string, string>, string]>([
    ['a wrong password', ['--vault-password-file', 'token'], {}, 'host_vars/a.yaml'],
    ['a missing age key', [], { SOPS_AGE_KEY: '' }, 'sops.yaml'],
    ['a missing variable', [], { PLANTED: '' }, 'inventory.yaml'],
  ])('%s', async (_what, args, more, file) => {
    const runs = join(cli.dir, 'runs-none');
    const words = ['run', 'play.yaml', '-i', 'inventory.yaml', '-e', '@extra.yaml', '--runs', runs];
    const result = await cli.run([...words, ...(args.length > 0 ? args : ['--vault-password-file', 'password'])], {
      ...env,
      ...more,
    });
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(file);
    for (const secret of Object.values(SECRETS)) expect(result.stdout + result.stderr).not.toContain(String(secret));
    expect(existsSync(runs)).toBe(false);
    expect(result.stdout).toBe('');
  });
});

it('an error about a value that was encrypted does not show it', async () => {
  cli.write(
    'choice/p.yaml',
    'name: x\ninputs:\n  from_extra: { type: string, enum: [a, b] }\nplays: [{ hosts: all, tasks: [] }]\n',
  );
  const result = await cli.run(['run', 'choice/p.yaml', '-i', 'h1,', '-e', '@extra.yaml'], env);
  expect(result.code).toBe(4);
  expect(result.stderr).toContain('from_extra');
  expect(result.stderr).not.toContain(SECRETS.extra);
});

it('a run that goes on takes no masked value for a real one', async () => {
  const { runs } = await finished('plain');
  const resume = ['resume', 'last', '--runs', runs, '--vault-password-file', 'password'];
  const without = await cli.run(resume, env);
  expect(without).toMatchObject({ code: 5, stderr: expect.stringContaining('from_extra') });
  const again = await cli.run([...resume, '-e', '@extra.yaml', '--accept-changes'], env);
  // It fails at the same place as before, and nothing is undefined or opened wrongly.
  expect(again.code, again.stderr).toBe(2);
  expect(again.stdout).toContain('asserts');
  for (const secret of Object.values(SECRETS)) expect(again.stdout + again.stderr).not.toContain(String(secret));
});

it('a runbook shows no secret', async () => {
  const book = await cli.run(
    ['runbook', 'play.yaml', '-i', 'inventory.yaml', '-e', '@extra.yaml', '--vault-password-file', 'password'],
    env,
  );
  expect(book.code, book.stderr).toBe(0);
  expect(book.stdout.match(/^# /gm)).toHaveLength(1);
  for (const secret of Object.values(SECRETS)) expect(book.stdout).not.toContain(String(secret));
});

it('commands that show what is written show no secret of SOPS or of a lookup', async () => {
  const list = await cli.run(['inventory', '-i', 'inventory.yaml', '--list', '--vault-password-file', 'password'], env);
  expect(list.code).toBe(0);
  expect(JSON.parse(list.stdout)._meta.hostvars.a).toMatchObject({
    from_env: { secret: 'env:PLANTED' },
    from_sops: '********',
    inline: { __ansible_vault: expect.stringContaining('$ANSIBLE_VAULT') },
    from_vault: '********',
    short: '********',
  });
});

it('a command without secrets loads nothing for them', async () => {
  cli.write(
    'plain/plain.yaml',
    'name: x\nplays:\n  - hosts: all\n    gather_facts: false\n    tasks: [{ debug: { msg: hello } }]\n',
  );
  const loaded = cli.write(
    'loaded.mjs',
    `import { registerHooks } from 'node:module';
import { appendFileSync } from 'node:fs';
registerHooks({ load(url, context, next) { appendFileSync('${cli.dir}/loaded.txt', url + '\\n'); return next(url, context); } });
`,
  );
  using sources = new CliFolder({ main: SOURCE, env: { NODE_OPTIONS: `--import ${loaded}` } });
  const result = await sources.run(['run', join(cli.dir, 'plain/plain.yaml'), '-i', 'h1,', '--check']);
  const names = readFileSync(join(cli.dir, 'loaded.txt'), 'utf8')
    .split('\n')
    .filter((url) => /runner\/secrets|age-encryption|noble/.test(url));
  expect(names.map((url) => url.split('/').at(-1)).sort(), result.stderr).toEqual([
    'problem.ts',
    'sealed-values.ts',
    'session.ts',
  ]);
});
