import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  execStart,
  parseEnvironmentFile,
  parseUnitFile,
  splitCommandLine,
  valuesOf,
} from '../../../../modules/shared/unit-file.ts';
import { missing } from '../../../support/missing.ts';
import { needs } from '../../../support/needs.ts';
import { tries } from '../../../support/size.ts';

const installed = `[Unit]
Description=Lightweight Kubernetes
# a comment

[Service]
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/systemd/system/k3s.service.env
ExecStart=/usr/local/bin/k3s \\
    server \\
\t'--disable' \\
# between two lines
\t'traefik' \\
\t'--kubelet-arg=a b="c"' \\
\t'--name=it'\\''s' \\

[Install]
WantedBy=multi-user.target
`;

describe('unit files', () => {
  it('joins continued lines and ends them at the empty one', () => {
    const unit = parseUnitFile(installed);
    expect(execStart(unit)).toEqual([
      '/usr/local/bin/k3s',
      'server',
      '--disable',
      'traefik',
      '--kubelet-arg=a b="c"',
      "--name=it's",
    ]);
    expect(valuesOf(unit, 'Install', 'WantedBy')).toEqual(['multi-user.target']);
    expect(valuesOf(unit, 'Service', 'EnvironmentFile')).toHaveLength(2);
  });

  it('lets a drop-in start a list anew', () => {
    const unit = parseUnitFile(`${installed}\n[Service]\nExecStart=\nExecStart=-/opt/k3s agent --x\n`);
    expect(execStart(unit)).toEqual(['/opt/k3s', 'agent', '--x']);
  });

  it.each([
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`--x="a b"c`, ['--x=a bc']],
    [`'' ""`, ['', '']],
    [`a\\x20b c\\\\d`, ['a\\x20b', 'c\\\\d']],
    ['%n $HOME $$', ['%n', '$HOME', '$$']],
    ['', []],
  ])('splits %j', (line, words) => expect(splitCommandLine(line)).toEqual(words));

  it('reads back whatever the install script writes', () => {
    const word = fc.string({ unit: fc.constantFrom('a', '-', '=', ' ', "'", '"', '$', '%', '#', ';', ',', 'é') });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (words) => {
        const lines = words.map((one) => `\t'${one.replaceAll("'", `'\\''`)}' \\\n`).join('');
        expect(execStart(parseUnitFile(`[Service]\nExecStart=/k3s \\\n    server \\\n${lines}\n`)).slice(2)).toEqual(
          words,
        );
      }),
    );
  });
});

describe('environment files', () => {
  it.each([
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['# c\n; d\n\nA=1', { A: '1' }],
    [`A='x y'`, { A: 'x y' }],
    [`A='it'"'"'s'`, { A: "it's" }],
    [`A="a \\"b\\" \\$c \\d"`, { A: 'a "b" $c \\d' }],
    ['A=a b  \nB=', { A: 'a b', B: '' }],
    ['A=one\\\ntwo', { A: 'onetwo' }],
    [`A='two\nlines'\nB=1`, { A: 'two\nlines', B: '1' }],
    ['nonsense\nA=1', { A: '1' }],
    ['', {}],
  ])('reads %j', (text, variables) => expect(Object.fromEntries(parseEnvironmentFile(text))).toEqual(variables));

  describe.each([
    { shell: 'dash', args: [] },
    { shell: 'bash', args: ['--posix'] },
    { shell: 'busybox', args: ['sh'] },
  ])('of a real $shell', ({ shell, args }) => {
    it('reads back what `export` prints', needs(missing(shell)), () => {
      const word = fc.string({ unit: fc.constantFrom('a', 'B', '=', ' ', "'", '"', '$', '`', '\\', '#', ';') });
      fc.assert(
        fc.property(word, (value) => {
          const script = `export | sed -e 's/^export //' -e 's/^declare -x //' | grep '^K3S_'`;
          const { stdout } = spawnSync(shell, [...args, '-c', script], {
            // bash reads ~/.bashrc when its standard input is a socket, which is what spawn gives.
            stdio: ['ignore', 'pipe', 'ignore'],
            env: { PATH: process.env.PATH!, K3S_TOKEN: value },
            encoding: 'utf8',
          });
          expect(parseEnvironmentFile(stdout).get('K3S_TOKEN')).toBe(value);
        }),
        { numRuns: tries(40) },
      );
    });
  });
});
