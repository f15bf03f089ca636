import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../../runner/errors.ts';
import { runText } from '../../support/run-playbook.ts';
import { snapshotTree } from '../../support/tree.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'reeve-check-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs tasks on host a, in check mode unless told, with `dir` as a variable. */
const run = (tasks: string, settings = {}, more = '') =>
  runText({
    playbook: `plays:\n  - hosts: a\n    vars: { dir: '${dir}' }\n    tasks:\n${tasks}${more}`,
    settings: { check: true, ...settings },
  });

describe('check mode', () => {
  it('writes nothing and foresees what the real run then does', async () => {
    const tasks = `      - { name: folder, file: { path: "{{ dir }}/etc", state: directory, mode: "0750" } }
      - { name: file, copy: { content: "x\\n", dest: "{{ dir }}/motd" } }
      - { name: same, copy: { content: "old\\n", dest: "{{ dir }}/kept" } }
      - { name: line, lineinfile: { path: "{{ dir }}/lines", line: new } }
`;
    for (const name of ['kept', 'lines']) writeFileSync(join(dir, name), 'old\n', { mode: 0o644 });
    const before = snapshotTree(dir, { times: true });
    const checked = await run(tasks);
    expect(snapshotTree(dir, { times: true })).toEqual(before);
    const real = await run(tasks, { check: false });
    expect(checked.tasks).toEqual(real.tasks);
    expect(checked.tasks).toEqual(['a folder changed', 'a file changed', 'a same ok', 'a line changed']);
    const again = await run(tasks, { check: false });
    expect(again.tasks.every((line) => line.endsWith(' ok'))).toBe(true);
  });

  it('what a request finds is not held against it once something is pending', async () => {
    const asked = (name: string, more = '') =>
      `      - { name: ${name}, http: { url: "http://127.0.0.1:9/", timeout: 5s }${more} }\n`;
    const { tasks, exitCode } = await run(`${asked('before', ', ignore_errors: true')}
      - { name: serve, copy: { content: x, dest: "{{ dir }}/served" } }
${asked('after', ', register: answer')}
      - { name: use, debug: "{{ answer.status }}" }
`);
    expect(tasks).toEqual(['a before ignored', 'a serve changed', 'a after unknown', 'a use unknown']);
    expect(exitCode).toBe(0);
  });

  it('a request that only asks may run in check mode for real, any other may not', async () => {
    const asked = (method: string) =>
      `      - { http: { url: "http://127.0.0.1:9/", method: ${method} }, check_mode: false, ignore_errors: true }\n`;
    expect((await run(asked('GET'))).exitCode).toBe(0);
    expect((await run(asked('POST'))).exitCode).toBe(EXIT.refused);
  });

  it('a command that only reads runs; any other is unknown and so is what depends on it', async () => {
    const { tasks, exitCode, pending } =
      await run(`      - { name: read, command: { cmd: echo yes, reads: true }, register: r }
      - { name: known, assert: { that: r.stdout == 'yes' } }
      - { name: act, shell: "touch {{ dir }}/made", register: done }
      - { name: on result, debug: { msg: "{{ done.stdout }}" } }
      - { name: when it, debug: { msg: x }, when: done.code == 0 }
      - { name: either, debug: { msg: x }, when: done.code == 0 || true }
      - { name: neither, debug: { msg: x }, when: done.code == 0 && false }
      - { name: loop, debug: { msg: x }, loop: done.stdout_lines }
      - { name: sure, assert: { that: done.code == 0 } }
`);
    expect(tasks).toEqual([
      'a read ok',
      'a known ok',
      'a act unknown',
      'a on result unknown',
      'a when it unknown',
      'a either ok',
      'a neither skipped',
      'a loop unknown',
      'a sure unknown',
    ]);
    expect(exitCode).toBe(EXIT.done);
    expect(pending).toBe(true);
    expect(existsSync(join(dir, 'made'))).toBe(false);
  });

  it('what a module predicts is known', async () => {
    const { tasks } =
      await run(`      - { name: file, copy: { content: "x\\n", dest: "{{ dir }}/new", mode: "0600" }, register: f }
      - { name: known, assert: { that: [f.changed, "f.mode == '0600'"] } }
`);
    expect(tasks).toEqual(['a file changed', 'a known ok']);
  });

  it('a variable set from an unknown value is unknown, not missing', async () => {
    const { tasks } = await run(`      - { name: act, shell: echo x, register: r }
      - { name: set, set-vars: { later: "{{ r.stdout }}", now: 1 } }
      - { name: use, debug: { msg: "{{ later }}" } }
      - { name: other, debug: { msg: "{{ now }}" } }
`);
    expect(tasks).toEqual(['a act unknown', 'a set unknown', 'a use unknown', 'a other ok']);
  });

  it('handlers of a change are planned, those of an unknown are unknown', async () => {
    const { tasks } = await run(
      `      - { name: file, copy: { content: "x\\n", dest: "{{ dir }}/new" }, notify: sure }
      - { name: act, shell: echo x, notify: maybe }
`,
      {},
      `    handlers:
      - { name: sure, copy: { content: y, dest: "{{ dir }}/handled" } }
      - { name: maybe, copy: { content: y, dest: "{{ dir }}/maybe" } }
`,
    );
    expect(tasks).toEqual(['a file changed', 'a act unknown', 'a sure changed', 'a maybe unknown']);
  });

  it('a wait after something pending is described, one before it is made', async () => {
    const { of } = await run(`      - { name: before, wait-for: { path: "{{ dir }}", timeout: 1s } }
      - { name: act, shell: echo x }
      - { name: after, wait-for: { path: "{{ dir }}/never", timeout: 1s } }
`);
    expect(of('before')[0]!.status).toBe('ok');
    expect(of('after')[0]).toMatchObject({ status: 'unknown', message: expect.stringContaining('would wait for') });
  });

  it('where, as whom, with what and how often a task runs may be unknown as well', async () => {
    const { tasks, exitCode, of } = await run(`      - { name: act, shell: echo x, register: r }
      - { name: delegate, debug: x, delegate_to: "{{ r.stdout }}" }
      - { name: user, stat: { path: / }, become: true, become_user: "{{ r.stdout }}" }
      - { name: environment, stat: { path: / }, environment: { A: "{{ r.stdout }}" } }
      - { name: retries, stat: { path: / }, retries: "{{ r.code }}" }
      - { name: delay, stat: { path: / }, retries: 1, delay: "{{ r.code }}" }
      - { name: block, retries: "{{ r.code }}", block: [{ name: in it, debug: x }] }
      - { name: after, debug: x }
`);
    expect(tasks.map((line) => line.split(' ').slice(1).join(' '))).toEqual([
      ...['act', 'delegate', 'user', 'environment', 'retries', 'delay', 'block'].map((name) => `${name} unknown`),
      'after ok',
    ]);
    expect(of('user')[0]!.message).toBe('"act" has not run');
    expect(exitCode).toBe(EXIT.done);
  });

  it('an unknown changed_when makes the task unknown, and its handlers; false is never a change', async () => {
    const { tasks, pending } = await run(
      `      - { name: act, shell: echo x, register: r, changed_when: false, notify: never }
      - { name: none, assert: { that: r.changed == false } }
      - { name: read, command: { cmd: "true", reads: true }, changed_when: r.code == 1, register: c, notify: maybe }
      - { name: some, debug: x, when: c.changed }
`,
      {},
      '    handlers:\n      - { name: never, debug: x }\n      - { name: maybe, debug: x }\n',
    );
    expect(tasks).toEqual(['a act unknown', 'a none ok', 'a read unknown', 'a some unknown', 'a maybe unknown']);
    expect(pending).toBe(true);
  });

  it('a handler whose name is unknown is not passed over in silence', async () => {
    const { of } = await run(`      - { name: act, shell: echo x, register: r }
      - { name: file, copy: { content: x, dest: "{{ dir }}/new" }, notify: "{{ r.stdout }}" }
`);
    expect(of('file')[0]).toMatchObject({ status: 'changed', warnings: [expect.stringContaining('not known yet')] });
  });

  it('tries and looks that come too early, after something pending, are unknown and not waited for', async () => {
    const { tasks, exitCode, events } = await run(`      - { name: act, shell: "touch {{ dir }}/made" }
      - { name: look, command: { cmd: "cat {{ dir }}/made", reads: true } }
      - { name: anyway, command: { cmd: "cat {{ dir }}/made", reads: true }, failed_when: false, register: r }
      - { name: known, assert: { that: r.code == 1 } }
      - { name: until, stat: { path: "{{ dir }}/made" }, register: s, until: s.exists, delay: 1h }
      - { name: block, until: s.exists, delay: 1h, block: [{ name: in it, stat: { path: / }, register: s }] }
      - { name: again, until: q.mode == '0', delay: 1h, block: [{ name: in it, stat: { path: / }, register: q }] }
`);
    expect(tasks.map((line) => line.slice(2))).toEqual([
      'act unknown',
      'look unknown',
      'anyway ok',
      'known ok',
      'until unknown',
      'in it ok',
      'in it ok',
      'again unknown',
    ]);
    expect(exitCode).toBe(EXIT.done);
    expect(events.filter(({ type }) => type === 'task-retry')).toEqual([]);
  });

  it('what an unknown block, loop or task would register is unknown, not missing', async () => {
    const { tasks, exitCode } = await run(`      - { name: act, shell: echo x, register: r }
      - { name: block, when: r.code == 0, block: [{ debug: x, register: b }, { set-vars: { v: 1 } }] }
      - { name: b, debug: "{{ b.message }}" }
      - { name: v, debug: "{{ v }}" }
      - { name: rounds, loop: r.stdout_lines, block: [{ debug: x, register: b2 }] }
      - { name: b2, debug: "{{ b2.changed }}" }
      - { name: loop, debug: x, loop: r.stdout_lines, register: l }
      - { name: l, debug: "{{ json l.results }}" }
      - { name: message, debug: "{{ r.message }}" }
`);
    expect(tasks.map((line) => line.split(' ').at(-1))).toEqual(Array(9).fill('unknown'));
    expect(exitCode).toBe(EXIT.done);
  });

  it('a play whose hosts are unknown is told as such; its question too', async () => {
    const { exitCode, events, pending } = await runText({
      playbook: `plays:
  - hosts: a
    tasks: [{ name: act, shell: echo x, register: r }]
  - name: second
    hosts: "{{ hosts.a.r.stdout }}"
    tasks: [{ debug: x }]
  - name: third
    hosts: a
    confirm: "Go on with {{ hosts.a.r.stdout }}?"
    tasks: [{ name: third, debug: x }]
`,
      settings: { check: true },
    });
    expect(exitCode).toBe(EXIT.done);
    expect(pending).toBe(true);
    const notices = events.flatMap((event) => (event.type === 'notice' ? event.message : []));
    expect(notices).toEqual([
      expect.stringMatching(/play "second" cannot be told .*"act" has not run/),
      expect.stringMatching(/would ask something that is not known yet: "act" has not run/),
    ]);
  });

  it('check_mode: true plans only, in a real run too', async () => {
    const { tasks, of } = await run(
      `      - { name: planned, copy: { content: x, dest: "{{ dir }}/never" }, check_mode: true }
      - { name: real, copy: { content: x, dest: "{{ dir }}/real" } }
`,
      { check: false },
    );
    expect(tasks).toEqual(['a planned changed', 'a real changed']);
    expect(of('planned')[0]!.message).toBe('only planned (check_mode)');
    expect(existsSync(join(dir, 'never'))).toBe(false);
    expect(existsSync(join(dir, 'real'))).toBe(true);
  });

  it('check_mode: false on a task that writes is refused under --check', async () => {
    const { exitCode, message } = await run(
      '      - { name: act, shell: "touch {{ dir }}/made", check_mode: false }\n',
    );
    expect(exitCode).toBe(EXIT.refused);
    expect(message).toMatch(/check_mode: false/);
    expect(existsSync(join(dir, 'made'))).toBe(false);
  });

  it('a failing assertion fails in check mode too', async () => {
    const { tasks, exitCode } = await run('      - { name: no, assert: { that: "1 == 2" } }\n');
    expect(tasks).toEqual(['a no failed']);
    expect(exitCode).toBe(EXIT.taskFailed);
  });
});
