import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { splitWords } from '../../../modules/shared/words.ts';
import { command } from '../../../modules/system/command.ts';
import { localTarget } from '../../support/local-target.ts';
import { fillArgs, type ModuleCase, moduleSuite } from '../../support/module-suite.ts';

const one = { roundTrips: { plan: 0 } };
const guarded = { roundTrips: { plan: 1 } };

const cases: ModuleCase[] = [
  {
    title: 'one line, in one round trip',
    args: { cmd: 'printf "%s\\n" "two words" \'$HOME\' *' },
    changes: ['run printf "%s\\n" "two words" \'$HOME\' *'],
    ...one,
    facts: { code: 0, ran: true, stdout: 'two words\n$HOME\n*', stdout_lines: ['two words', '$HOME', '*'], stderr: '' },
  },
  {
    title: 'a list with every awkward argument',
    args: { argv: ['printf', '%s|', "it's", '', 'a\nb', '$(id)', '-n', 'grün'] },
    changes: ["run printf '%s|' 'it'\\''s' '' 'a…"],
    ...one,
    facts: { stdout: "it's||a\nb|$(id)|-n|grün|" },
  },
  {
    title: 'directory, environment and standard input',
    args: {
      argv: ['sh', '-c', 'pwd; echo "$COLOUR"; cat'],
      chdir: 'ROOT/sub dir',
      env: { COLOUR: 'a "b"' },
      stdin: 'in\n',
    },
    before: (root) => mkdirSync(join(root, 'sub dir')),
    changes: ['run sh -c \'pwd; echo "$COLOUR"; cat\''],
    ...one,
    facts: { stdout_lines: ['ROOT/sub dir', 'a "b"', 'in'] },
  },
  {
    title: 'creates: not there yet',
    args: { cmd: 'touch made', creates: 'made', chdir: 'ROOT' },
    changes: ['run touch made'],
    ...guarded,
    after: (root) => expect(existsSync(join(root, 'made'))).toBe(true),
  },
  {
    title: 'creates: there already',
    args: { cmd: 'touch other', creates: "ROOT/it's *" },
    before: (root) => writeFileSync(join(root, "it's made"), ''),
    changes: [],
    ...guarded,
    facts: { ran: false, code: 0, stdout: '', stdout_lines: [] },
    after: (root) => expect(existsSync(join(root, 'other'))).toBe(false),
  },
  {
    title: 'removes: not there',
    args: { cmd: 'rm old', removes: 'ROOT/old', chdir: 'ROOT' },
    changes: [],
    ...guarded,
    facts: { ran: false },
  },
  {
    title: 'removes: there',
    args: { cmd: 'rm old', removes: 'ROOT/old', chdir: 'ROOT' },
    before: (root) => writeFileSync(join(root, 'old'), ''),
    changes: ['run rm old'],
    ...guarded,
    after: (root) => expect(existsSync(join(root, 'old'))).toBe(false),
  },
  {
    title: 'reads: runs while planning, and is no change',
    args: { cmd: 'cat ROOT/version', reads: true },
    before: (root) => writeFileSync(join(root, 'version'), 'v1.2\r\n'),
    changes: [],
    ...guarded,
    facts: { ran: true, stdout: 'v1.2' },
  },
  {
    title: 'a failure says why',
    args: { cmd: 'ls ROOT/nothing' },
    changes: [],
    fails: /ls .*: exit code \d+\n.*nothing/,
  },
  {
    title: 'a program that is not there',
    args: { cmd: 'no-such-thing' },
    changes: [],
    fails: /exit code 12[67]/,
  },
  { title: 'builtins of the shell are no programs', args: { cmd: 'set x' }, changes: [], fails: /exit code 12[67]/ },
  { title: 'the time limit', args: { cmd: 'sleep 30' }, changes: [], fails: /time limit/, target: { deadline: 300 } },
];

moduleSuite(command, cases);

describe('command: arguments', () => {
  test.each([
    [{}, 'either cmd or argv'],
    [{ cmd: 'a', argv: ['b'] }, 'either cmd or argv'],
    [{ cmd: 'echo "open' }, 'double quote'],
    [{ cmd: '  ' }, 'empty'],
    [{ argv: ['-x'] }, 'dash'],
    [{ cmd: 'a', shell: 'b' }, 'additional'],
  ])('%j is refused', (args, problem) => {
    expect(() => fillArgs(command, args)).toThrow(problem);
  });
});

describe('splitWords', () => {
  test.each([
    ['a  b\tc\nd', ['a', 'b', 'c', 'd']],
    [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
    [`a'b'"c"d`, ['abcd']],
    [`"" ''`, ['', '']],
    [`"\\n \\" \\$ \\\\" '\\n'`, ['\\n " $ \\', '\\n']],
    ['a\\\nb', ['ab']],
  ])('%j', (line, words) => {
    expect(splitWords(line)).toEqual({ words });
  });
});

test('a failing command hands all facts to register', async () => {
  const target = localTarget();
  const { next } = await command.plan(
    fillArgs(command, { argv: ['sh', '-c', 'echo out; echo err >&2; exit 3'] }) as never,
    target.read,
  );
  await expect(command.apply!(next!, target.write)).rejects.toMatchObject({
    code: 'command-failed',
    facts: { code: 3, stdout: 'out', stderr: 'err', ran: true },
  });
  expect(target.writes).toEqual(['run']);
  target.dispose();
});
