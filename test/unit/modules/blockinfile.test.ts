import { describe, expect, test } from 'vitest';
import { blockinfile } from '../../../modules/files/blockinfile.ts';
import { fillArgs, moduleSuite } from '../../support/module-suite.ts';
import { type EditCase, editCases } from './edit-cases.ts';

const BEGIN = '# BEGIN MANAGED BY REEVE';
const END = '# END MANAGED BY REEVE';

const cases: EditCase[] = [
  { title: 'at the end', args: { block: 'x\ny\n' }, from: 'a\n', to: `a\n${BEGIN}\nx\ny\n${END}\n` },
  { title: 'there already', args: { block: 'x\ny' }, from: `${BEGIN}\nx\ny\n${END}\na\n` },
  { title: 'other lines', args: { block: 'z' }, from: `a\n${BEGIN}\nx\ny\n${END}\nb`, to: `a\n${BEGIN}\nz\n${END}\nb` },
  { title: 'an empty block there', args: { block: 'z' }, from: `${BEGIN}\n${END}\n`, to: `${BEGIN}\nz\n${END}\n` },
  { title: 'behind a line without an end', args: { block: 'x' }, from: 'a', to: `a\n${BEGIN}\nx\n${END}\n` },
  { title: 'create', args: { block: 'x', create: true }, to: `${BEGIN}\nx\n${END}\n` },
  { title: 'no file', args: { block: 'x' }, fails: /does not exist/ },
  { title: 'absent', args: { state: 'absent' }, from: `a\n${BEGIN}\nx\n${END}\nb`, to: 'a\nb' },
  { title: 'absent by an empty block', args: { block: '' }, from: `${BEGIN}\nx\n${END}\n`, to: '' },
  { title: 'absent already', args: { state: 'absent' }, from: 'a\n' },
  { title: 'absent and no file', args: { state: 'absent' } },
  {
    title: 'insertafter',
    args: { block: 'x', insertafter: '^a' },
    from: 'a1\na2\nb\n',
    to: `a1\na2\n${BEGIN}\nx\n${END}\nb\n`,
  },
  {
    title: 'insertbefore',
    args: { block: 'x', insertbefore: '^a' },
    from: 'a1\na2\n',
    to: `a1\n${BEGIN}\nx\n${END}\na2\n`,
  },
  { title: 'insertbefore BOF', args: { block: 'x', insertbefore: 'BOF' }, from: 'a\n', to: `${BEGIN}\nx\n${END}\na\n` },
  { title: 'CR LF', args: { block: 'x\ny' }, from: 'a\r\n', to: `a\r\n${BEGIN}\r\nx\r\ny\r\n${END}\r\n` },
  {
    title: 'markers of its own',
    args: { block: 'x', marker: '; {mark} it', marker_begin: '<<', marker_end: '>>' },
    from: `${BEGIN}\n${END}\n; << it\nold\n; >> it\n`,
    to: `${BEGIN}\n${END}\n; << it\nx\n; >> it\n`,
  },
  {
    title: 'no end marker',
    args: { block: 'x' },
    from: `a\n${BEGIN}\n`,
    to: '',
    fails: /not one pair \(found in line 2\)/,
  },
  {
    title: 'markers the wrong way round',
    args: { block: 'x' },
    from: `${END}\n${BEGIN}\n`,
    to: '',
    fails: /line 1, 2/,
  },
  {
    title: 'two blocks',
    args: { state: 'absent' },
    from: `${BEGIN}\n${END}\n`.repeat(2),
    to: '',
    fails: /line 1, 2, 3, 4/,
  },
  {
    title: 'bytes that are not UTF-8 stay',
    args: { block: 'ü' },
    from: `\xfc\xff\n${BEGIN}\n${END}\n\x80`,
    to: `\xfc\xff\n${BEGIN}\n\xc3\xbc\n${END}\n\x80`,
  },
];

moduleSuite(blockinfile, editCases(cases), { elsewhere: 6 });

describe('blockinfile: arguments', () => {
  test.each([
    [{ block: `a\n${END}\n` }, 'its own marker'],
    [{ marker: '# none' }, 'pattern'],
    [{ marker_begin: 'END' }, 'must differ'],
    [{ insertafter: '[' }, 'insertafter: Invalid'],
  ])('%j is refused', (args, problem) => {
    expect(() => fillArgs(blockinfile, { path: '/x', ...args })).toThrow(problem);
  });
});
