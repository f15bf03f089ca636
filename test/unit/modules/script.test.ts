import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { script } from '../../../modules/system/script.ts';
import { shell } from '../../../modules/system/shell.ts';
import { type ModuleCase, moduleSuite } from '../../support/module-suite.ts';

const put = (text: string) => (_: string, control: string) => writeFileSync(join(control, "it's a script.sh"), text);
const src = "it's a script.sh";
const temporary = { TMPDIR: 'ROOT' };
const cleanedUp = (root: string) => expect(readdirSync(root)).toEqual([]);

const scripts: ModuleCase[] = [
  {
    title: 'arguments, its own name, an empty standard input',
    args: { src, args: ['two words', "it's", ''], env: temporary },
    before: put('for a; do echo "[$a]"; done; echo "${0##*/}"; cat\n'),
    changes: [`run ${src} 'two words' 'it'\\''s' ''`],
    roundTrips: { plan: 0 },
    facts: { stdout_lines: ['[two words]', "[it's]", '[]', src], code: 0 },
    after: cleanedUp,
  },
  {
    title: 'the interpreter of its first line',
    args: { src, env: temporary },
    before: put('#!/bin/cat\nmy own text'),
    changes: [`run ${src}`],
    roundTrips: { plan: 0 },
    facts: { stdout: '#!/bin/cat\nmy own text' },
  },
  {
    title: 'an interpreter with options',
    args: { src, args: ['two words'], executable: 'sh -u', env: temporary, reads: true },
    before: put('case $- in *u*) echo strict "${0##*/}" "$@"; cat;; esac'),
    changes: [],
    facts: { stdout: `strict ${src} two words` },
  },
  {
    title: 'its exit code and its end',
    args: { src, env: temporary },
    before: put('echo why >&2; exit 7'),
    changes: [],
    fails: /exit code 7\nwhy/,
  },
  {
    title: 'creates',
    args: { src, creates: 'ROOT' },
    before: put('exit 1'),
    changes: [],
    facts: { ran: false },
  },
];

const shells: ModuleCase[] = [
  {
    title: 'a pipe, a variable, several lines',
    args: { cmd: 'x="a  b"\necho "$x" | tr a-z A-Z' },
    changes: ['run x="a  b"…'],
    roundTrips: { plan: 0 },
    facts: { stdout: 'A  B' },
  },
  {
    title: 'a here-document and a quote',
    args: { cmd: "cat <<'E'\nit's $HOME\nE\n" },
    changes: ["run cat <<'E'…"],
    roundTrips: { plan: 0 },
    facts: { stdout: "it's $HOME" },
  },
  {
    title: 'another shell',
    args: { cmd: 'echo $0 "it\'s"', executable: '/bin/sh', reads: true },
    changes: [],
    facts: { stdout: "/bin/sh it's" },
  },
  { title: 'a syntax error', args: { cmd: 'if true; then' }, changes: [], fails: /exit code 2/ },
  {
    title: 'removes',
    args: { cmd: 'rm x', removes: 'x', chdir: 'ROOT' },
    before: (root) => writeFileSync(join(root, 'x'), ''),
    changes: ['run rm x'],
    after: (root) => expect(existsSync(join(root, 'x'))).toBe(false),
  },
];

moduleSuite(script, scripts);
moduleSuite(shell, shells);
