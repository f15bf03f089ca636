import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lineinfile } from '../../../modules/files/lineinfile.ts';
import { localTarget } from '../../support/local-target.ts';
import { fillArgs, moduleSuite } from '../../support/module-suite.ts';
import { type EditCase, editCases } from './edit-cases.ts';

const cases: EditCase[] = [
  { title: 'a new line at the end', args: { line: 'b' }, from: 'a\n', to: 'a\nb\n' },
  { title: 'there already', args: { line: 'b' }, from: 'b\na\n' },
  { title: 'behind a line without an end', args: { line: 'b' }, from: 'a', to: 'a\nb\n' },
  { title: 'into an empty file', args: { line: 'b' }, from: '', to: 'b\n' },
  { title: 'a line end in the argument is no second line', args: { line: 'b\n' }, from: 'a\n', to: 'a\nb\n' },
  { title: 'create', args: { line: 'b', create: true }, to: 'b\n' },
  { title: 'no file', args: { line: 'b' }, fails: /does not exist/ },
  { title: 'absent and no file', args: { line: 'b', state: 'absent' } },
  {
    title: 'regexp replaces the last match',
    args: { regexp: '^#?Port ', line: 'Port 22' },
    from: '#Port 1\nx\nPort 2\ny\n',
    to: '#Port 1\nx\nPort 22\ny\n',
  },
  {
    title: 'regexp and firstmatch',
    args: { regexp: '^#?Port ', line: 'Port 22', firstmatch: true },
    from: '#Port 1\nPort 2\n',
    to: 'Port 22\nPort 2\n',
  },
  { title: 'a replaced last line keeps its missing end', args: { regexp: '^b', line: 'c' }, from: 'a\nb', to: 'a\nc' },
  { title: 'regexp without a match appends', args: { regexp: '^z', line: 'z' }, from: 'a\n', to: 'a\nz\n' },
  {
    title: 'a line that its pattern does not match is not put in twice',
    args: { regexp: '^#', line: 'on' },
    from: 'on\n#off\n',
  },
  {
    title: 'Python spellings',
    args: { regexp: '(?i)^(?P<k>port) ', line: '\\g<k> 1', backrefs: true },
    from: 'PORT 9\n',
    to: 'PORT 1\n',
  },
  { title: 'needless backslashes', args: { regexp: '^a\\-b\\"', line: 'c' }, from: 'a-b"\n', to: 'c\n' },
  {
    title: 'search_string is plain text',
    args: { search_string: 'a.c', line: 'x' },
    from: 'abc\na.c!\n',
    to: 'abc\nx\n',
  },
  {
    title: 'insertafter a pattern',
    args: { line: 'n', insertafter: '^\\[' },
    from: '[a]\n1\n[b]\n2\n',
    to: '[a]\n1\n[b]\nn\n2\n',
  },
  {
    title: 'insertafter the first match',
    args: { line: 'n', insertafter: '^\\[', firstmatch: true },
    from: '[a]\n1\n[b]\n',
    to: '[a]\nn\n1\n[b]\n',
  },
  { title: 'insertafter without a match', args: { line: 'n', insertafter: '^z' }, from: 'a\n', to: 'a\nn\n' },
  { title: 'insertbefore a pattern', args: { line: 'n', insertbefore: '^b' }, from: 'a\nb\n', to: 'a\nn\nb\n' },
  { title: 'insertbefore BOF', args: { line: 'n', insertbefore: 'BOF' }, from: 'a\n', to: 'n\na\n' },
  { title: 'insertafter EOF', args: { line: 'n', insertafter: 'EOF' }, from: 'a\n', to: 'a\nn\n' },
  { title: 'CR LF stays', args: { line: 'b' }, from: 'a\r\nc\r\n', to: 'a\r\nc\r\nb\r\n' },
  { title: 'CR LF stays on replacing', args: { line: 'b', regexp: '^a$' }, from: 'a\r\nc\r\n', to: 'b\r\nc\r\n' },
  {
    title: 'backrefs',
    args: { regexp: '^(a=)(\\d+)(.*)$', line: '\\g<1>7\\3', backrefs: true },
    from: 'a=1 # why\n',
    to: 'a=7 # why\n',
  },
  { title: 'backrefs without a match', args: { regexp: '^z(.)', line: '\\1', backrefs: true }, from: 'a\n' },
  {
    title: 'backrefs that never settle',
    args: { regexp: '(.*)', line: '\\1a', backrefs: true },
    from: 'a\n',
    to: '',
    fails: /own result again/,
  },
  { title: 'a dollar is a dollar', args: { regexp: '^(a)', line: '$1 $& \\1' }, from: 'a\n', to: '$1 $& \\1\n' },
  { title: 'absent by line', args: { line: 'a', state: 'absent' }, from: 'a\nb\na', to: 'b\n' },
  { title: 'absent by regexp', args: { regexp: '^[ab]', state: 'absent' }, from: 'a1\nc\nb2\n', to: 'c\n' },
  { title: 'absent by search_string', args: { search_string: '*', state: 'absent' }, from: 'a*\nc\n', to: 'c\n' },
  { title: 'absent already', args: { line: 'z', state: 'absent' }, from: 'a\n' },
  // Latin-1 text: \xfc is no UTF-8; the line of the argument goes in as UTF-8 bytes.
  {
    title: 'bytes that are not UTF-8 stay',
    args: { line: 'ü' },
    from: 'gr\xfcn\xff\x00\n',
    to: 'gr\xfcn\xff\x00\n\xc3\xbc\n',
  },
  {
    title: 'UTF-8 is matched in a file that is not UTF-8',
    args: { regexp: 'ü=1', line: 'ok' },
    from: '\xff\n\xc3\xbc=1\n',
    to: '\xff\nok\n',
  },
  {
    title: 'a byte order mark stays',
    args: { regexp: '^a', line: 'b' },
    from: '\xef\xbb\xbfa\n',
    to: '\xef\xbb\xbfb\n',
  },
  { title: 'UTF-16 is refused', args: { line: 'b' }, from: '\xff\xfea\x00\n\x00', fails: /UTF-16/ },
  {
    title: 'validate refuses',
    args: { line: 'bad', validate: '! grep -q bad %s' },
    from: 'a\n',
    to: '',
    fails: /was refused/,
  },
];

moduleSuite(lineinfile, editCases(cases), { elsewhere: 6 });

describe('lineinfile: arguments', () => {
  test.each([
    [{}, 'line is needed'],
    [{ state: 'absent' }, 'needs line, regexp'],
    [{ line: 'a\nb' }, 'blockinfile'],
    [{ line: 'a', regexp: '(' }, 'regexp: Invalid'],
    [{ line: 'a', regexp: 'a', search_string: 'b' }, 'either regexp'],
    [{ line: 'a', backrefs: true }, 'backrefs needs'],
    [{ line: 'a', insertafter: 'a', insertbefore: 'b' }, 'either insertafter'],
    [{ line: 'a', validate: 'true' }, 'pattern'],
  ])('%j is refused', (args, problem) => {
    expect(() => fillArgs(lineinfile, { path: '/x', ...args })).toThrow(problem);
  });
});

test('lineinfile: an edit between plan and apply is not lost', async () => {
  const target = localTarget();
  const elsewhere = mkdtempSync(join(tmpdir(), 'reeve-elsewhere-'));
  const path = join(target.root, 'link');
  writeFileSync(join(elsewhere, 'file'), 'a\n');
  symlinkSync(join(elsewhere, 'file'), path);
  const { next } = await lineinfile.plan(fillArgs(lineinfile, { path, line: 'b' }) as never, target.read);
  writeFileSync(join(elsewhere, 'file'), 'a\nsomebody else\n');
  await expect(lineinfile.apply!(next!, target.write)).rejects.toMatchObject({ code: 'changed-since-plan' });
  rmSync(elsewhere, { recursive: true });
  target.dispose();
});
