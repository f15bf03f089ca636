import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../runner/load/parse.ts';
import { checkArgs } from '../../../runner/validate/args.ts';
import { testRegistry } from '../playbook/registry.ts';
import { expectOne, validate, withTasks } from './support.ts';

describe('arguments before rendering', () => {
  it.each([
    ['an unknown argument', '- service: { name: x, «stat»: started }', 'unknown-argument', ['`stat`', '`state`']],
    [
      'an unknown argument like no other',
      '- service: { name: x, «foo»: 1 }',
      'unknown-argument',
      ['name, state, enabled'],
    ],
    ['a missing argument', '- «service»: {}', 'missing-argument', ['`name`', 'Unit name.']],
    ['a missing argument of an empty module', '- «service»:', 'missing-argument', ['`name`']],
    ['a wrong type', '- service: { name: x, enabled: «maybe» }', 'wrong-type', ['true or false', '"maybe"']],
    ['yes', '- service: { name: x, enabled: «yes» }', 'wrong-type', ['write true']],
    ['a wrong value', '- service: { name: x, state: «startd» }', 'wrong-value', ['started, stopped', '`started`']],
    ['a version that is a number', '- copy: { dest: x, content: «1.30» }', 'wrong-type', ['1.3', 'quoted: "1.30"']],
    ['a mode that is a number', '- copy: { dest: x, mode: «0644» }', 'wrong-type', ['644', 'quoted: "0644"']],
    ['a number in quotes', '- wait-for: { port: «"80"» }', 'wrong-type', ['leave the quotes out: 80']],
    ['a number out of range', '- wait-for: { port: «70000» }', 'wrong-value', ['1 to 65535']],
    ['text where a list belongs', '- copy: { dest: x, hosts: «a» }', 'wrong-type', ['a list']],
    ['an item of a wrong type', '- copy: { dest: x, hosts: [a, «1»] }', 'wrong-type', ['`hosts[1]`', 'quoted: "1"']],
    ['a pattern of one branch of two', '- wait-for: { timeout: «soon» }', 'wrong-value', ['soon']],
    ['neither branch of two', '- wait-for: { timeout: «[1]» }', 'wrong-type', ['a number of at least 0 or text']],
    ['a list where a mapping belongs', '- service: «[x]»', 'wrong-type', ['mapping', 'name, state']],
    [
      'Ansible’s key=value',
      '- service: «name=x state=started»',
      'wrong-type',
      ['service: { name: x, state: started }'],
    ],
    ['what the module itself refuses', '- «copy»: { dest: x, src: a, content: b }', 'wrong-arguments', ['not both']],
  ])('%s', (_name, task, code, words) => {
    expectOne(withTasks(task), code, words);
  });

  it('finds the place in merged mappings, shorthands and included shapes', () => {
    expectOne(`vars: { base: &b { mode: «0644» } }\n${withTasks('- copy: { <<: *b, dest: x }')}`, 'wrong-type', [
      '0644',
    ]);
  });

  it('a template may stand for a value of any type, at any depth', () => {
    const tasks = [
      '- service: { name: x, enabled: "{{ inputs.e }}", state: "{{ inputs.e }}" }',
      '- copy: { dest: x, retries: "{{ inputs.e }}", hosts: "{{ inputs.e }}" }',
      '- copy: { dest: x, hosts: ["{{ inputs.e }}"], mode: "{{ inputs.e }}" }',
      '- wait-for: { timeout: "{{ inputs.e }}" }',
    ];
    expect(validate(`inputs: { e: {} }\n${withTasks(tasks.join('\n'))}`)).toEqual([]);
  });

  it('does not ask the module about arguments that are not rendered yet', () => {
    expect(
      validate(`inputs: { e: {} }\n${withTasks('- copy: { dest: x, src: "{{ inputs.e }}", content: b }')}`),
    ).toEqual([]);
  });
});

describe('arguments after rendering', () => {
  const document = parseDocument('service: { name: x, enabled: "{{ e }}" }\n', 'p.yaml');
  const at = { value: undefined, document, path: ['service'] };
  const service = testRegistry.get('service')!;

  it('fills in defaults and leaves the given object alone', () => {
    const given = { name: 'x' };
    expect(checkArgs(service, given, at)).toEqual({ args: { name: 'x', state: 'started' }, diagnostics: [] });
    expect(given).toEqual({ name: 'x' });
  });

  it.each([
    ['text for a boolean', { name: 'x', enabled: 'true' }, 'wrong-type'],
    ['text for a number', { name: 'x', enabled: 1 }, 'wrong-type'],
    ['text that still looks like a template', { name: 'x', state: '{{ x }}' }, 'wrong-value'],
    ['a number for text', { name: 1 }, 'wrong-type'],
  ])('coerces nothing: %s', (_name, args, code) => {
    expect(checkArgs(service, args, at).diagnostics.map((diagnostic) => diagnostic.code)).toEqual([code]);
  });

  it('a number that a template gives is text where text belongs; one that was written is not', () => {
    const written = { name: '{{ n }}', enabled: true };
    expect(checkArgs(service, { name: 1.5 }, { ...at, value: written }).args.name).toBe('1.5');
    expect(checkArgs(service, { name: 1.5 }, { ...at, value: { name: 1.5 } }).diagnostics[0]?.code).toBe('wrong-type');
  });

  it('places an error at the argument as it was written', () => {
    const [found] = checkArgs(service, { name: 'x', enabled: 'maybe' }, at).diagnostics;
    expect(found?.place).toMatchObject({ line: 1, column: 30 });
  });

  it('asks the module', () => {
    const [found] = checkArgs(testRegistry.get('copy')!, { dest: 'x', src: 'a', content: 'b' }, at).diagnostics;
    expect(found?.message).toContain('not both');
  });

  it('accepts expressions evaluated or not', () => {
    const assert = testRegistry.get('assert')!;
    const evaluated = [{ expression: 'a', value: true }];
    expect(checkArgs(assert, { that: evaluated }, at)).toEqual({ args: { that: evaluated }, diagnostics: [] });
    expect(checkArgs(assert, { that: 'a' }, at)).toEqual({ args: { that: 'a' }, diagnostics: [] });
    expect(checkArgs(assert, {}, at).diagnostics[0]).toMatchObject({ code: 'missing-argument' });
  });
});
