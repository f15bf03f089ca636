import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../runner/events.ts';
import { readJournal } from '../../../runner/journal/read.ts';
import { ROOT, supportFile } from '../../support/program.ts';
import { reeveSync } from '../../support/reeve-sync.ts';
import { sampled } from '../../support/size.ts';
import { snapshotTree } from '../../support/tree.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'reeve-resume-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Appends are not idempotent: a line too many in `log` shows an effect applied twice. */
const PLAYBOOK = `
name: everything
plays:
  - hosts: all
    serial: 1
    vars: { log: "{{ base }}/{{ host.name }}.log" }
    tasks:
      - name: append
        shell: "echo one >> {{ log }}; echo out-{{ host.name }}"
        register: first
        notify: told
      - name: use
        copy: { content: "{{ first.stdout }}\\n", dest: "{{ base }}/{{ host.name }}.txt" }
      - name: each
        shell: "echo {{ item }} >> {{ log }}"
        loop: [a, b]
        register: each
      - block:
          - { name: bad, shell: "echo bad >> {{ log }}; exit 1" }
        rescue:
          - { name: rescue, shell: "echo rescued >> {{ log }}" }
      - name: once
        shell: "echo once >> {{ base }}/once.log"
        run_once: true
      - name: set
        set-vars: { late: "{{ first.stdout }}-set" }
      - name: last
        shell: "echo {{ late }} {{ length each.results }} >> {{ log }}"
    handlers:
      - name: told
        shell: "echo handler >> {{ log }}"
`;

function prepare(name: string): { base: string; playbook: string; inventory: string; runs: string } {
  const folder = join(dir, name);
  const base = join(folder, 'base');
  mkdirSync(base, { recursive: true });
  const playbook = join(folder, 'play.yaml');
  const inventory = join(folder, 'inventory.yaml');
  writeFileSync(playbook, PLAYBOOK);
  writeFileSync(
    inventory,
    `reeve: 1\nall:\n  vars: { transport: local, base: '${base}', reeve_dir: '${folder}/state' }\n  hosts: { x: , y: }\n`,
  );
  return { base, playbook, inventory, runs: join(folder, 'runs') };
}

const killed = (at: ReturnType<typeof prepare>, dieAfter: number) =>
  spawnSync(process.execPath, [supportFile('run-and-die'), at.playbook, at.inventory, at.runs, String(dieAfter)], {
    cwd: ROOT,
    encoding: 'utf8',
  });
const run = (at: ReturnType<typeof prepare>) => reeveSync(['run', at.playbook, '-i', at.inventory, '--runs', at.runs]);
const resume = (at: ReturnType<typeof prepare>, ...more: string[]) =>
  reeveSync(['resume', 'last', '--runs', at.runs, '--output', 'plain', ...more]);
const journal = (at: ReturnType<typeof prepare>): RunEvent[] =>
  readJournal(join(at.runs, readdirSync(at.runs)[0]!, 'events.jsonl')).events;

/** What the run left, without when. */
const left = (at: ReturnType<typeof prepare>) =>
  Object.fromEntries(Object.entries(snapshotTree(at.base)).map(([path, { content }]) => [path, content]));

describe('a run that was killed', () => {
  it('ends by resume in the state of an undisturbed run, no effect applied twice, wherever it was killed', () => {
    const whole = prepare('whole');
    expect(run(whole).status).toBe(0);
    const wanted = left(whole);
    expect(wanted['x.log']).toBe('one\na\nb\nbad\nrescued\nout-x-set 2\nhandler\n');
    const events = journal(whole);
    // Between the effect itself and its record nobody can tell whether it happened: killed right after the record of its
    // beginning, before it can begin, and right after the record of its end, both must be right.
    const boundaries = events.filter((event) => /^(effect|item|task|batch|play|host|handler)/.test(event.type));
    // Each costs two processes: the boundaries of effects on one host, and every ninth of the others.
    const isEffectOfX = (event: RunEvent) => event.type.startsWith('effect') && 'host' in event && event.host === 'x';
    const isChosen = (event: RunEvent, index: number) => isEffectOfX(event) || index % 9 === 0;
    const sample = sampled(boundaries.filter(isChosen), 3);
    for (const event of sample) {
      const at = prepare(`killed-${event.seq}`);
      expect(killed(at, event.seq).signal).toBe('SIGKILL');
      const { status, stdout, stderr } = resume(at);
      expect(`${event.seq} ${event.type} ${status} ${stderr}`).toBe(`${event.seq} ${event.type} 0 `);
      expect(left(at), `killed after ${event.seq} ${JSON.stringify(event)}\n${stdout}`).toEqual(wanted);
      const all = journal(at);
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    }
  });

  it('does a block again whose always took something back, and its always anew in any case', () => {
    const at = prepare('always');
    const block = (name: string, end: string) => `
      - name: ${name}
        block:
          - shell: "echo ${name} make >> {{ log }}"
          - shell: "echo ${name} use >> {{ log }}; test -e {{ base }}/${name}"
        always:
          - { shell: "echo ${name} end >> {{ log }}", ${end} }`;
    writeFileSync(
      at.playbook,
      `name: always\nplays:\n  - hosts: x\n    vars: { log: "{{ base }}/log" }\n    tasks:${block('mine', 'changed_when: true')}${block('seen', 'changed_when: false')}\n`,
    );
    const log = () => left(at).log?.trim().split('\n');
    expect(run(at).status).toBe(2);
    expect(log()).toEqual(['mine make', 'mine use', 'mine end']);
    expect(resume(at).status).toBe(2);
    expect(log()?.slice(3)).toEqual(['mine make', 'mine use', 'mine end']);
    writeFileSync(join(at.base, 'mine'), '');
    expect(resume(at).status).toBe(2);
    expect(log()?.slice(6)).toEqual(['mine make', 'mine use', 'mine end', 'seen make', 'seen use', 'seen end']);
    writeFileSync(join(at.base, 'seen'), '');
    expect(resume(at).status).toBe(0);
    expect(log()?.slice(12)).toEqual(['seen use', 'seen end']);
  });

  it('is refused when it has ended well', () => {
    const at = prepare('done');
    run(at);
    const { status, stderr } = resume(at);
    expect(status).toBe(6);
    expect(stderr).toContain('ended well');
  });

  it('is refused when the playbook changed, with the difference; --accept-changes goes on', () => {
    const at = prepare('changed');
    killed(at, 12);
    writeFileSync(at.playbook, PLAYBOOK.replace('echo {{ late }}', 'echo changed {{ late }}'));
    const refused = resume(at);
    expect(refused.status).toBe(6);
    expect(refused.stderr).toContain('+        shell: "echo changed');
    expect(resume(at, '--accept-changes').status).toBe(0);
    expect(readFileSync(join(at.base, 'y.log'), 'utf8')).toContain('changed out-y-set');
  });

  it('goes on after a torn last line', () => {
    const at = prepare('torn');
    killed(at, 14);
    const file = join(at.runs, readdirSync(at.runs)[0]!, 'events.jsonl');
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"v":1,"seq":15,"ty`);
    expect(resume(at).status).toBe(0);
    expect(left(at)['x.log']).toBe('one\na\nb\nbad\nrescued\nout-x-set 2\nhandler\n');
  });
});
