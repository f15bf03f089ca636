import { describe, expect, it } from 'vitest';
import { evaluate, failureOf } from './support.ts';

describe('mistakes in conditions', () => {
  it.each([
    ['', '1:1', 'this condition is empty', ''],
    ['a = b', '1:3', 'unexpected `=`', 'write `==` to compare'],
    ['a &&', '1:5', 'ends too early', ''],
    ['a ||\n  )', '2:3', 'unexpected `)`', ''],
    ['(a', '1:3', 'ends too early', ''],
    ['a and b', '1:3', 'unexpected `and`', 'write `&&` for and'],
    ['a or b', '1:3', 'unexpected `or`', 'write `||` for or'],
    ['not a', '1:5', 'unexpected `a`', 'write `!` for not'],
    ['a is defined', '1:3', 'unexpected `is`', 'defined(name)'],
    ['x | default(1)', '1:3', 'unexpected `|`', 'default(name, "…")'],
    ['{{ a }} == 1', '1:1', 'names stand without braces', ''],
    ['"abc', '1:1', 'this text is not closed', ''],
    ["a == 'x\n'", '1:8', 'a text in quotes must end on its line', ''],
    ['a == "\\q"', '1:7', 'invalid escape sequence', ''],
    ['a.1', '1:3', 'unexpected `1`', ''],
    ['a @ b', '1:3', 'unexpected `@`', ''],
    ['has(a)', '1:5', '`has` asks for a member', 'defined(name)'],
    ['a.exists(x)', '1:1', '`.exists()` takes a name and an expression', ''],
    ['a.exists(1, x)', '1:10', 'here stands a name of your choice', ''],
    ['!'.repeat(50_000), '1:1', 'nested too deeply', ''],
    [`${'a + '.repeat(50_000)}a`, '', 'exceeded maxAstNodes', ''],
  ])('%.30j', (text, at, message, hint) => {
    const failure = failureOf(() => evaluate(text, { a: 1, b: 2 }));
    expect(failure.code).toBe('expression-syntax');
    expect(failure.message).toContain(message);
    if (at) expect(failure.at).toBe(at);
    expect(failure.hint).toContain(hint);
  });

  it.each([
    ['siz(a)', '`siz`', 'did you mean `size`?'],
    ['a.startWith("x")', '`.startWith()`', 'did you mean `startsWith`?'],
    ['startsWith(a, "x")', '`startsWith`', 'write `value.startsWith(…)`'],
    ['a.int()', '`.int()`', 'write `int(…)`'],
  ])('%s', (text, name, hint) => {
    const failure = failureOf(() => evaluate(text, { a: 'x' }));
    expect(failure).toMatchObject({
      code: 'unknown-function',
      message: `there is no function ${name}`,
      hint,
      at: '1:1',
    });
  });

  it.each([
    ['"a" + 1', '`+` does not work between a string and a number'],
    ['a + s', '`+` does not work between a number and a string'],
    ['s > 1', '`>` does not work between a string and a number'],
    ['[1] < [2]', '`<` does not work between a list and a list'],
    ['!s', '`!` does not work on a string'],
    ['-s', '`-` does not work on a string'],
    ['yes && [1]', '`&&` and `||` need true or false, not a list'],
    ['yes && s', '`&&` needs true or false, not a string'],
    ['s ? 1 : 2', '`? :` needs true or false, not a string'],
    ['"x" in s', '`in` needs a list or a mapping on its right, not a string'],
    ['s.exists(x, x)', '`.exists()` needs a list or a mapping, not a string'],
    ['[s].all(x, x)', '`.all()` needs true or false, not a string'],
    ['a / 0', 'division by zero'],
    ['1 / 0', 'division by zero'],
    ['1.5 % a', '`%` works on whole numbers only'],
    ['s.matches("[")', 'invalid regular expression: ['],
    ['int(s)', 'int() type error: cannot convert to int'],
    ['s.substring("x")', 'there is no function `string.substring(string)` for these types'],
    ['s.orValue(1)', '`.orValue()` follows optional access such as `a.?b`'],
  ])('%s: %s', (text, message) => {
    expect(failureOf(() => evaluate(text, { a: 1, s: 'x', yes: true }))).toMatchObject({
      code: 'expression-value',
      message,
    });
  });

  it('types that can never fit are found before anything runs', () => {
    expect(failureOf(() => evaluate('typo == 1 && "a" + 1 == "a1"')).message).toContain('`+` does not work');
  });
});
