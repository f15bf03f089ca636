import { expect, test } from 'vitest';
import { replace } from '../../../modules/files/replace.ts';
import { fillArgs, moduleSuite } from '../../support/module-suite.ts';
import { type EditCase, editCases } from './edit-cases.ts';

const INI = '[a]\nport = 1\n[b]\nport = 1\n[c]\nport = 1\n';

const cases: EditCase[] = [
  { title: 'every match', args: { regexp: 'old', replace: 'new' }, from: 'old old\nold', to: 'new new\nnew' },
  { title: 'no match', args: { regexp: 'old', replace: 'new' }, from: 'new\n' },
  { title: 'nothing in its place', args: { regexp: '^#.*\\n' }, from: '#a\nb\n#c\n', to: 'b\n' },
  { title: 'ends of lines', args: { regexp: '^a$', replace: 'b' }, from: 'a\naa\r\na\r\n', to: 'b\naa\r\nb\r\n' },
  { title: 'the end of the text', args: { regexp: '\\n+\\Z', replace: '\n' }, from: 'a\nb\n\n\n', to: 'a\nb\n' },
  { title: 'its beginning', args: { regexp: '\\Aa', replace: 'x' }, from: 'a\na\n', to: 'x\na\n' },
  { title: 'an escaped backslash before Z', args: { regexp: '\\\\Z', replace: 'x' }, from: 'a\\Z\n', to: 'ax\n' },
  { title: 'groups', args: { regexp: '(\\w+)=(?P<v>\\w+)$', replace: '\\g<v>:\\1' }, from: 'a=b\n', to: 'b:a\n' },
  { title: 'a dollar is a dollar', args: { regexp: 'a', replace: '$&$1' }, from: 'a\n', to: '$&$1\n' },
  { title: 'a line end in the replacement', args: { regexp: ';', replace: '\\n' }, from: 'a;b', to: 'a\nb' },
  {
    title: 'after',
    args: { regexp: 'port = .*', replace: 'port = 2', after: '^\\[b\\]$' },
    from: INI,
    to: '[a]\nport = 1\n[b]\nport = 2\n[c]\nport = 2\n',
  },
  {
    title: 'before',
    args: { regexp: 'port = .*', replace: 'port = 2', before: '^\\[b\\]$' },
    from: INI,
    to: '[a]\nport = 2\n[b]\nport = 1\n[c]\nport = 1\n',
  },
  {
    title: 'after and before',
    args: { regexp: 'port = .*', replace: 'port = 2', after: '^\\[b\\]$', before: '^\\[' },
    from: INI,
    to: '[a]\nport = 1\n[b]\nport = 2\n[c]\nport = 1\n',
  },
  { title: 'a limit that is not there', args: { regexp: 'port', replace: 'x', after: '^\\[z\\]' }, from: INI },
  {
    title: 'a replacement that grows',
    args: { regexp: 'foo', replace: 'foobar' },
    from: 'foo\n',
    to: '',
    fails: /own result again/,
  },
  { title: 'an empty match', args: { regexp: '^(?!# )', replace: '# ' }, from: 'a\nb', to: '# a\n# b' },
  {
    title: 'bytes that are not UTF-8 stay',
    args: { regexp: 'ü', replace: 'ö' },
    from: '\xfc\xc3\xbc\xff',
    to: '\xfc\xc3\xb6\xff',
  },
  { title: 'no file', args: { regexp: 'a' }, fails: /does not exist/ },
];

moduleSuite(replace, editCases(cases), { elsewhere: 6 });

test('replace: a bad pattern is found before any connection', () => {
  expect(() => fillArgs(replace, { path: '/x', regexp: 'a', before: '(' })).toThrow('before: Invalid');
});
