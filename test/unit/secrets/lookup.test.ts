import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { toPlain } from '../../../runner/language/access.ts';
import { loadDocument } from '../../../runner/load/parse.ts';
import { runSecretCommand } from '../../../runner/secrets/command.ts';
import { CliFolder } from '../../support/cli.ts';
import { folder, problemsOf, session } from './support.ts';

async function load(text: string, environment: Record<string, string> = {}, path = join(folder(), 'f.yaml')) {
  const { secrets, known } = session({ environment });
  writeFileSync(path, text);
  const document = await secrets.load(() => loadDocument(path, { opener: secrets }));
  return { secrets, known, document, open: () => toPlain(document.value) };
}

describe('!secret', () => {
  it('takes a variable, a file beside it, the output of a command, once: the command when it is used, the others before the run', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'token'), 'from a file\r\n');
    const text =
      'a: !secret env:TOKEN\nb: !secret file:token\nc: &c !secret "exec:echo x >> count; echo from \'a command\' | tr m M"\nd: *c\n';
    const { open, secrets, known } = await load(text, { TOKEN: 'from the environment' }, join(dir, 'f.yaml'));
    await secrets.check();
    expect(existsSync(join(dir, 'count'))).toBe(false);
    expect(known).toEqual(['from the environment', 'from a file']);
    expect(open()).toEqual({ a: 'from the environment', b: 'from a file', c: 'froM a coMMand', d: 'froM a coMMand' });
    open();
    expect(readFileSync(join(dir, 'count'), 'utf8')).toBe('x\n');
    expect(known).toEqual(['from the environment', 'from a file', 'froM a coMMand']);
  });

  it('is data: braces in a secret are no template', async () => {
    const { open } = await load('a: !secret env:T\n', { T: '{{ nothing }}' });
    expect(open()).toEqual({ a: '{{ nothing }}' });
  });

  it.each([
    ['env:NOPE', 'secret-missing'],
    ['file:nope', 'secret-missing'],
    ['my-password-itself', 'secret-form'],
    ["'env: '", 'secret-form'],
  ])('%s is an error before anything runs, at its place', async (text, code) => {
    const { secrets } = await load(`x: 1\na: !secret ${text}\n`);
    const problems = await problemsOf(() => secrets.check());
    expect(problems).toMatchObject([{ code, place: { line: 2 } }]);
    expect(JSON.stringify(problems)).not.toContain('my-password-itself');
  });

  it.each([
    ['exec:echo hunter2; exit 7', 'secret-command', 'exit code 7'],
    ['exec:true', 'secret-empty', ''],
    [`exec:printf "hunter2\\377"`, 'secret-command', 'something else than UTF-8 text'],
    ['exec:kill -9 $$', 'secret-command', 'SIGKILL'],
  ])('%s: says how it ended and shows nothing it printed', async (text, code, words) => {
    const { open } = await load(`a: !secret '${text}'\n`);
    const problems = await problemsOf(open);
    expect(problems).toMatchObject([{ code, message: expect.stringContaining(words) }]);
    if (code === 'secret-command') expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('bytes of a file that are no text are an error, not another secret', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'key'), Buffer.from([0x6b, 0xff, 0xfe]));
    const { secrets } = await load('a: !secret file:key\n', {}, join(dir, 'f.yaml'));
    expect(await problemsOf(() => secrets.check())).toMatchObject([{ code: 'secret-not-text', place: { line: 1 } }]);
  });

  it('a task whose secret cannot be fetched says why, where it is looked up', async () => {
    const cli = new CliFolder();
    onTestFinished(() => cli[Symbol.dispose]());
    cli.write('i.yaml', 'reeve: 1\nall: { hosts: { h: { transport: local, x: !secret "exec:exit 7" } } }\n');
    cli.write('p.yaml', { plays: [{ hosts: 'all', tasks: [{ debug: '{{ x }}' }] }] });
    const { code, stdout } = await cli.run(['run', 'p.yaml', '-i', 'i.yaml', '--output', 'plain']);
    expect(code).toBe(2);
    expect(stdout).toMatch(/the command of this secret failed: it ended with exit code 7\n.*hint.*\n *at i\.yaml:2:/);
  });

  it('does not wait for ever, and leaves nothing running', () => {
    const dir = folder();
    const done = runSecretCommand(['sh', '-c', 'sleep 86399 & echo $! > child; wait'], dir, 500);
    expect(done).toEqual({ problem: 'it gave no answer within 0.5 seconds' });
    const stat = `/proc/${Number(readFileSync(join(dir, 'child'), 'utf8'))}/stat`;
    // Killed, it is gone or waits for its parent to look.
    return vi.waitFor(() => expect(existsSync(stat) ? readFileSync(stat, 'utf8') : ' Z ').toMatch(/ [ZX] /));
  });
});
