import { describe, expect, it } from 'vitest';
import { failureOf, render } from './support.ts';

describe('mistakes in templates', () => {
  it.each([
    ['a {{b', '1:3', 'never closed'],
    ['a\n  {{b }', '2:3', 'never closed'],
    ['{{{a}}', '1:1', 'this `{{{` is never closed'],
    ['{{a {{b}}', '1:1', 'never closed'],
    ['{{! a', '1:1', 'this comment is never closed'],
    ['{{}}', '1:3', 'this `{{ }}` is empty'],
    ['x {{ }}', '1:6', 'this `{{ }}` is empty'],
    ['{{a + 1}}', '1:5', 'unexpected `+`'],
    ['x\r\n{{a b=}}', '2:7', 'unexpected `}}`'],
    ['{{a.0}}', '1:5', '`0` is no name that can follow a dot'],
    ['{{list[0]}}{{a == 1}}', '1:16', 'unexpected `=`'],
    ['{{#if a}}x', '1:1', '`{{#if}}` is never closed'],
    ['{{#if a}}\n{{#each b}}\n{{/if}}', '3:1', '`{{#each}}` is closed by `{{/if}}`'],
    ['a{{/if}}', '1:2', 'closes a block that was never opened'],
    ['{{#if}}x{{/if}}', '1:1', '`#if` takes one value'],
    ['{{#if a b}}x{{/if}}', '1:1', '`#if` takes one value'],
    ['{{../a}}', '1:3', 'reaches out of more blocks than there are'],
    ['{{this}}', '1:3', 'all variables at once'],
    ['{{> partial}}', '1:1', 'partials'],
    ['{{#> partial}}{{/partial}}', '1:1', 'partials'],
    ['{{* decorate}}', '1:1', 'decorators'],
    ['{{#*inline "a"}}b{{/inline}}', '1:1', 'decorators'],
    ['{{{{raw}}}} {{x}} {{{{/raw}}}}', '1:1', 'raw blocks'],
    ['{{hosts[name].ip}}', '1:8', 'an index is a constant'],
    ['{{join}}{{join a b c}}', '1:11', '`join` takes 1 to 2 values, not 3'],
    ['{{upper a b=1}}', '1:11', '`upper` has no option `b`'],
    ['{{undefined}}', '1:3', 'there is no `undefined`'],
  ])('%j', (text, at, message) => {
    const failure = failureOf(() => render(text, { a: 1 }));
    expect(failure.message).toContain(message);
    expect(failure).toMatchObject({ code: 'template-syntax', at });
  });

  it.each([
    ['{{jon a}}', '1:3', 'there is no helper `jon`', 'did you mean `join`?'],
    ['{{upper (lowr a)}}', '1:10', 'there is no helper `lowr`', 'did you mean `lower`?'],
    ['{{if a}}', '1:3', 'there is no helper `if`', '{{#if …}}'],
    ['{{#eech a}}{{/eech}}', '1:1', 'there is no block `#eech`', 'did you mean `each`?'],
    ['{{log a}}', '1:3', 'there is no helper `log`', ''],
    ['{{helperMissing a}}', '1:3', 'there is no helper `helperMissing`', ''],
  ])('%s', (text, at, message, hint) => {
    const failure = failureOf(() => render(text, { a: 1 }));
    expect(failure).toMatchObject({ code: 'unknown-helper', at, message });
    expect(failure.hint).toContain(hint);
  });
});

describe('text for another templater names the !raw tag', () => {
  it.each([
    ['{{.Names}}', '1:1'],
    ["docker ps --format '{{ .ID }}'", '1:21'],
    ['{{.}}', '1:1'],
    ['a {{range .Items}}{{.x}}{{end}}', '1:3'],
    ['{{ $labels.instance }}', '1:1'],
    ['{{- .Values.a -}}', '1:1'],
    ['{{- a }}', '1:1'],
    ['{{ a -}}', '1:1'],
    ['{{ .Values.a | quote }}', '1:1'],
    ['{{ a | default("x") }}', '1:6'],
    ['x {% if a %}b{% endif %}', '1:3'],
    ['{%- for x in y %}', '1:1'],
  ])('%s', (text, at) => {
    const failure = failureOf(() => render(text, { a: 1 }));
    expect(failure).toMatchObject({ code: 'foreign-template', at });
    expect(failure.hint).toContain('!raw');
  });

  it.each([
    ["{{ a | default('x') }}", '{{default a "x"}}'],
    ['{{ a.b | upper }}', '{{upper a.b}}'],
    ["{{ a | default('x') | b64encode }}", '{{b64 (default a "x")}}'],
    ['{{ a | to_json }}', '{{json a}}'],
    ["{{ list | join(', ') }}", '{{join list ", "}}'],
    ["{{ a | replace('a', b) }}", '{{replace a "a" b}}'],
    ['{{ a | default("it\'s", true) }}', '{{default a "it\'s" true}}'],
    ['{{ a | default({}) }}', '{{helper value}}'],
    ["{{ list | join('-') }}", '{{join list "-"}}'],
    ['{{ a | regex_replace("x") }}', '{{helper value}}'],
  ])('%s is told as %s', (text, form) => {
    expect(failureOf(() => render(text)).hint).toContain(`\`${form}\``);
  });

  it('a quoted bar, block parameters and percent signs are none of it', () => {
    expect(render('{{join list "|"}} {{#each list as |x|}}{{x}}{{/each}}', { list: ['a', 'b'] })).toBe('a|b ab');
    expect(render("curl -w '%{http_code}' {%d} date +{%Y}")).toBe("curl -w '%{http_code}' {%d} date +{%Y}");
    expect(render('{{"{% if %}"}}')).toBe('{% if %}');
  });
});
