import { describe, expect, it } from 'vitest';
import { layeredScope } from '../../../runner/language/scope.ts';
import type { Compiled } from '../../../runner/language/types.ts';
import { parseDocument } from '../../../runner/load/parse.ts';
import type { Block, Playbook, Task } from '../../../runner/playbook/model.ts';
import { parsePlaybook } from '../../../runner/playbook/parse.ts';
import { testRegistry } from './registry.ts';

function parse(text: string): Playbook {
  const { playbook, diagnostics } = parsePlaybook(parseDocument(text, 'dir/p.yaml'), testRegistry);
  expect(diagnostics).toEqual([]);
  return playbook!;
}

function tasks(text: string): Task[] {
  const indented = text.replaceAll(/^/gm, '      ');
  return parse(`plays:\n  - hosts: all\n    tasks:\n${indented}`).plays[0]!.tasks as Task[];
}

const render = (compiled: Compiled | undefined, names: Record<string, unknown> = {}) =>
  compiled?.render(layeredScope([names]));

describe('a playbook', () => {
  const playbook = parse(`
name: Upgrade
description: All of it.
lock: "k3s-{{ inputs.version }}"
inputs:
  version: { type: string, description: Wanted version. }
  token: { type: string, secret: true, prompt: Token?, default: "" }
vars: { a: "{{ inputs.version }}!" }
plays:
  - name: Servers
    hosts: servers
    serial: [1, 25%]
    max_fail_percentage: 10
    any_errors_fatal: true
    on_failure: continue
    order: sorted
    strategy: free
    force_handlers: true
    gather_facts: true
    confirm: "Go to {{ inputs.version }}?"
    become: true
    become_user: "{{ who }}"
    environment: { A: "{{ a }}", B: 1 }
    tags: x
    timeout: 1m30s
    throttle: 2
    vars: { b: 2 }
    pre_tasks: [{ debug: pre }]
    tasks: [{ debug: main }]
    post_tasks: [{ debug: post }]
    handlers: [{ name: restart, service: { name: k3s }, listen: [all, again] }]
    gate: [{ debug: "{{ batch.hosts }}" }]
  - hosts: [agents, "!k3s-9"]
`);
  const [servers, agents] = playbook.plays;

  it('has its own keywords', () => {
    expect(playbook).toMatchObject({
      name: 'Upgrade',
      description: 'All of it.',
      directory: 'dir',
      file: 'dir/p.yaml',
    });
    expect(render(playbook.lock, { inputs: { version: '1' } })).toBe('k3s-1');
    expect(playbook.inputs.token).toMatchObject({ type: 'string', secret: true, prompt: 'Token?', default: '' });
    expect(playbook.inputs.version?.place).toMatchObject({ line: 6, column: 3 });
    expect(playbook.vars.a).toMatchObject({ origin: 'playbook vars', where: { line: 8, column: 9 } });
  });

  it('has plays with what they say', () => {
    expect(servers).toMatchObject({
      name: 'Servers',
      maxFailPercentage: 10,
      anyErrorsFatal: true,
      onFailure: 'continue',
      order: 'sorted',
      strategy: 'free',
      forceHandlers: true,
      gatherFacts: true,
      tags: ['x'],
      timeout: 90_000,
      throttle: 2,
    });
    expect(render(servers?.serial)).toEqual([1, '25%']);
    expect(render(servers?.confirm, { inputs: { version: '2' } })).toBe('Go to 2?');
    expect(render(servers?.environment, { a: 'v' })).toEqual({ A: 'v', B: 1 });
    expect(render(servers?.becomeUser, { who: 'root' })).toBe('root');
  });

  it('has steps with ids that are their paths', () => {
    const ids = [servers!.preTasks, servers!.tasks, servers!.postTasks, servers!.handlers, servers!.gate].map(
      (l) => l[0]!.id,
    );
    expect(ids).toEqual([
      'plays[0].pre_tasks[0]',
      'plays[0].tasks[0]',
      'plays[0].post_tasks[0]',
      'plays[0].handlers[0]',
      'plays[0].gate[0]',
    ]);
    expect(servers?.handlers[0]?.listen).toEqual(['all', 'again']);
  });

  it('has defaults where a play says nothing', () => {
    expect(agents).toMatchObject({
      name: 'agents:!k3s-9',
      anyErrorsFatal: false,
      order: 'inventory',
      strategy: 'linear',
      gatherFacts: false,
    });
    expect(render(agents?.hosts)).toBe('agents:!k3s-9');
    expect(agents && 'serial' in agents).toBe(false);
  });
});

describe('a task', () => {
  it('has one module and its arguments', () => {
    const [task] = tasks('- name: "Start {{ n }}"\n  service: { name: "{{ n }}", enabled: true }\n  register: r');
    expect(task).toMatchObject({ kind: 'task', module: 'service', register: 'r', id: 'plays[0].tasks[0]' });
    expect(task?.place).toMatchObject({ line: 4, column: 9 });
    expect(render(task?.args, { n: 'k3s' })).toEqual({ name: 'k3s', enabled: true });
    expect(render(task?.name, { n: 'k3s' })).toBe('Start k3s');
    expect(task?.argsAt).toMatchObject({ path: ['plays', 0, 'tasks', 0, 'service'] });
  });

  it('takes plain text for the shorthand argument, and nothing for none', () => {
    const [short, none] = tasks('- command: "echo {{ x }}"\n- wait-for:');
    expect(render(short?.args, { x: 1 })).toEqual({ cmd: 'echo 1' });
    expect(render(none?.args)).toEqual({});
  });

  it('keeps !raw text and the types of lone templates', () => {
    const [task] = tasks('- copy: { dest: x, content: !raw "{{ .Go }}", retries: "{{ n }}" }');
    expect(render(task?.args, { n: 3 })).toEqual({ dest: 'x', content: '{{ .Go }}', retries: 3 });
  });

  it('reads conditions as CEL: text, true or false, lists', () => {
    const [task] = tasks(
      '- debug: x\n  when: [a > 1, true, "!b"]\n  until: a == 2\n  changed_when: false\n  failed_when: [a == 3]\n  ignore_errors: b',
    );
    const scope = layeredScope([{ a: 2, b: false }]);
    expect(task?.when.map((condition) => condition.evaluate(scope))).toEqual([true, true, true]);
    expect(task?.until?.[0]?.evaluate(scope)).toBe(true);
    expect(task?.changedWhen).toBe(false);
    expect(Array.isArray(task?.failedWhen) && task.failedWhen[0]?.evaluate(scope)).toBe(false);
    expect(typeof task?.ignoreErrors === 'object' && task.ignoreErrors.evaluate(scope)).toBe(false);
  });

  it('loops over a list, a mapping or an expression', () => {
    const [list, mapping, expression] = tasks(
      '- debug: x\n  loop: [1, "{{ a }}"]\n- debug: x\n  loop: { k: "{{ a }}" }\n- debug: x\n  loop: groups.servers\n' +
        '  loop_control: { loop_var: s, index_var: i, label: "{{ s }}", pause: 2s }',
    );
    const scope = layeredScope([{ a: 2, groups: { servers: ['x'] } }]);
    const value = (task: Task | undefined) =>
      task?.loop && ('evaluate' in task.loop ? task.loop.evaluate(scope) : task.loop.render(scope));
    expect([value(list), value(mapping), value(expression)]).toEqual([[1, 2], { k: 2 }, ['x']]);
    expect(expression?.loopControl).toMatchObject({ item: 's', index: 'i', pause: 2000 });
  });

  it('has tries, delegation and the rest', () => {
    const [task] = tasks(
      '- debug: x\n  retries: "{{ n }}"\n  delay: 10s\n  backoff: 1.5\n  notify: [a, "{{ h }}"]\n  delegate_to: localhost\n' +
        '  run_once: true\n  no_log: true\n  check_mode: false\n  diff: true',
    );
    expect(render(task?.retries, { n: 4 })).toBe(4);
    expect(render(task?.delay)).toBe('10s');
    expect(task?.notify.map((name) => render(name, { h: 'b' }))).toEqual(['a', 'b']);
    expect(task).toMatchObject({ backoff: 1.5, runOnce: true, noLog: true, checkMode: false, diff: true });
  });

  it('keeps the text of arguments that are expressions, and their references', () => {
    const [task] = tasks('- assert: { that: [a == 1, "b.c"] }');
    expect(render(task?.args)).toEqual({ that: ['a == 1', 'b.c'] });
    expect(task?.args.references.map(({ path }) => path)).toEqual([['a'], ['b', 'c']]);
    expect(task?.args.references[1]?.place).toMatchObject({ line: 4, column: 35 });
  });
});

it('a mapping of variables may be empty', () => {
  expect(parse('vars:\nplays:\n  - hosts: all\n    vars:\n').plays[0]?.vars).toEqual({});
});

describe('a block', () => {
  it('has steps, rescue and always, each with its own ids', () => {
    const steps = tasks(
      '- name: Try\n  when: x\n  vars: { v: 1 }\n  block:\n    - debug: a\n    - block: [{ debug: b }]\n  rescue: [{ debug: c }]\n  always: [{ debug: d }]',
    ) as unknown as Block[];
    const [block] = steps;
    expect(block).toMatchObject({ kind: 'block', id: 'plays[0].tasks[0]' });
    expect((block!.steps[1] as Block).steps[0]?.id).toBe('plays[0].tasks[0].block[1].block[0]');
    expect(block!.rescue[0]?.id).toBe('plays[0].tasks[0].rescue[0]');
    expect(block!.always[0]?.id).toBe('plays[0].tasks[0].always[0]');
    expect(Object.keys(block!.vars)).toEqual(['v']);
  });
});
