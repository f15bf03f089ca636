import { afterAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../runner/cli/commands.ts';
import { commandHelp, generalHelp } from '../../../runner/cli/help.ts';
import { commandName } from '../../../runner/cli/options.ts';
import { CliFolder } from '../../support/cli.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());

describe('help', () => {
  it('names every command and every exit code', () => {
    const text = generalHelp(COMMANDS);
    for (const command of COMMANDS) expect(text).toContain(command.description);
    for (const code of [0, 1, 2, 3, 4, 5, 6, 10, 130]) expect(text).toMatch(new RegExp(`^  ${code} `, 'm'));
  });

  it.each(COMMANDS.map((command) => [commandName(command), command] as const))('%s fits a terminal', (_, command) => {
    const lines = commandHelp(command).split('\n');
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    for (const { options } of command.groups) {
      for (const [flags] of options) expect(lines.join('\n')).toContain(flags.split(' ')[0]!.replace(/,$/, ''));
    }
  });

  it('is printed by --help anywhere and by help COMMAND, exit 0', async () => {
    const asked = await Promise.all([folder.run(['run', '--help']), folder.run(['help', 'run']), folder.run(['-h'])]);
    expect(asked.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(asked[0]!.stdout).toBe(asked[1]!.stdout);
    expect(asked[0]!.stdout).toContain('--skip-tags TAGS');
    expect(asked[2]!.stdout).toContain('Usage: reeve COMMAND');
  });

  it('is printed without any words too, but that is wrong usage', async () => {
    expect(await folder.run([])).toMatchObject({ code: 5, stdout: expect.stringContaining('Usage: reeve COMMAND') });
  });
});

it('--version prints the version', async () => {
  expect(await folder.run(['--version'])).toEqual({ code: 0, stdout: 'reeve 0.1.0\n', stderr: '' });
});

it.each([
  ['a value', ['-l', '1.10'], '1.10 is no host'],
  ['one after =', ['--limit=007'], '007 is no host'],
])('%s that looks like a number stays what it is', async (_, args, message) => {
  const { stdout, code } = await folder.run(['exec', 'all', 'debug', 'hi', '-i', 'a,', ...args]);
  expect(stdout).toContain(message);
  expect(code).toBe(4);
});

it('so do words of an ad hoc command, and numbers stay numbers', async () => {
  const { stdout } = await folder.run(['exec', 'localhost', 'debug', '1.10', '-f', '3']);
  expect(stdout).toContain('— 1.10\n');
});

describe('wrong usage exits with 5 and says what was meant', () => {
  it.each([
    ['an unknown command', ['rnu', 'x.yaml'], 'there is no command "rnu"', '`reeve run`'],
    ['an unknown option', ['run', 'x.yaml', '--chekc'], 'there is no option --chekc', '`--check`'],
    ['a missing value', ['run', 'x.yaml', '-i'], 'needs a value', 'reeve run --help'],
    ['a missing argument', ['run'], 'run needs: playbook', 'reeve run --help'],
    ['too many words', ['modules', 'copy'], 'too many words: copy', 'reeve modules --help'],
    ['an unknown format', ['exec', 'all', 'debug', 'hi', '--output', 'xml'], '--output xml', 'reeve'],
    ['a number that is none', ['exec', 'localhost', 'debug', 'hi', '-f', 'many'], '--forks takes a whole number', ''],
    ['an unknown module', ['exec', 'all', 'comand', 'uptime'], 'there is no module "comand"', '`command`'],
    ['an unknown argument', ['exec', 'all', 'copy', 'dst=/x'], '"dst=/x" is no argument of this module', 'dest'],
    ['an unknown page', ['docs', 'cpoy'], 'there is no module and no keyword "cpoy"', '`copy`'],
    [
      'an empty value',
      ['exec', 'all', 'debug', 'hi', '-l', ''],
      '-l was given an empty value',
      'is a variable not set?',
    ],
    ['an empty value after =', ['run', 'x.yaml', '--skip-tags='], '--skip-tags was given an empty value', ''],
    ['no file to validate', ['validate'], 'validate needs', ''],
  ])('%s', async (_, args, message, hint) => {
    const { code, stderr } = await folder.run(args);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(code).toBe(5);
  });
});

it('words that look like numbers are taken as they are written', async () => {
  folder.write('hosts', '1.10 x=right\n1.1 x=wrong\n010 x=right\n10 x=wrong\n');
  for (const argv of [['--host', '1.10'], ['--host=010']]) {
    const shown = await folder.run(['inventory', '-i', 'hosts', ...argv]);
    expect(JSON.parse(shown.stdout)).toEqual({ x: 'right' });
  }
  const empty = await folder.run(['run', '--limit=', 'hosts', '-i', 'hosts']);
  expect(empty.stderr).not.toContain('run needs');
});
