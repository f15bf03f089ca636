import { expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import { readExecArgs } from '../../../runner/cli/exec-args.ts';

const read = (module: string, ...words: string[]) => readExecArgs(words, modules.get(module)!);

it.each([
  ['pairs', 'file', ['path=/x', 'state=directory'], { path: '/x', state: 'directory' }],
  ['pairs in one word', 'copy', [`dest=/x content='a b' force=false`], { dest: '/x', content: 'a b', force: false }],
  ['text stays text', 'file', ['path=/x', 'mode=0644'], { path: '/x', mode: '0644' }],
  ['a value with blanks and signs', 'copy', ['content=a b=c', 'dest=/x'], { content: 'a b=c', dest: '/x' }],
  ['one pair with blanks', 'copy', ['content=a and b'], { content: 'a and b' }],
  ['a mapping', 'file', ['{ path: /x,', 'state: touch }'], { path: '/x', state: 'touch' }],
  ['the text itself', 'command', ['uname', '-r'], 'uname -r'],
  ['text that looks like a pair of something else', 'shell', ['A=1 env'], 'A=1 env'],
  ['text in braces', 'shell', ['{ echo a; }'], '{ echo a; }'],
  ['a template', 'debug', ['{{ n }}'], '{{ n }}'],
  ['a value that is no YAML', 'copy', ['dest=/x', 'force=['], { dest: '/x', force: '[' }],
  ['names of any kind where a module takes them', 'set-vars', ['a=1', 'b=x'], { a: 1, b: 'x' }],
  ['nothing', 'gather-facts', [], {}],
])('%s', (_what, module, words, wanted) => {
  expect(read(module, ...words)).toEqual(wanted);
});

it('names the word that is no argument', () => {
  expect(() => read('copy', 'dst=/x', 'content=a')).toThrow('"dst=/x" is no argument of this module');
  expect(() => read('copy', '{ dest: [ }')).toThrow('is no YAML mapping');
  expect(() => read('copy', 'content=a', 'now')).toThrow('"now" is no argument');
});
