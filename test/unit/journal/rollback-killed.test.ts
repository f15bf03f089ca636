import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../runner/events.ts';
import { readJournal } from '../../../runner/journal/read.ts';
import { supportUrl } from '../../support/program.ts';
import { reeveSync } from '../../support/reeve-sync.ts';
import { large, sampled } from '../../support/size.ts';
import { snapshotTree } from '../../support/tree.ts';

/** Each kind of change that files can have; `play` and `later` so that a play's own tasks stand between changes. */
const PLAYBOOK = `
plays:
  - name: First
    hosts: all
    tasks:
      - { name: folders, file: { path: "{{ base }}/a/b", state: directory } }
      - { name: new, copy: { content: "new\\n", dest: "{{ base }}/a/new" } }
      - { name: changed, copy: { content: "new\\n", dest: "{{ base }}/motd", mode: "0600" } }
      - { name: line, lineinfile: { path: "{{ base }}/motd", line: more } }
      - { name: gone, file: { path: "{{ base }}/gone", state: absent } }
      - { name: link, link: { path: "{{ base }}/link", src: motd } }
    rollback:
      - { name: cleaned, shell: "echo cleaned >> {{ base }}.log" }
  - name: Second
    hosts: all
    tasks:
      - { name: attributes, file: { path: "{{ base }}/kept", mode: "0600" } }
`;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'reeve-rollback-killed-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A folder of its own with all that a run of the playbook needs. */
function prepare(name: string) {
  const folder = join(dir, name);
  const base = join(folder, 'base');
  mkdirSync(base, { recursive: true });
  for (const file of ['motd', 'gone', 'kept']) writeFileSync(join(base, file), `old ${file}\n`, { mode: 0o644 });
  symlinkSync('gone', join(base, 'link'));
  writeFileSync(join(folder, 'play.yaml'), PLAYBOOK);
  const vars = `{ transport: local, base: '${base}', reeve_dir: '${folder}/state' }`;
  writeFileSync(join(folder, 'inventory.yaml'), `reeve: 1\nall:\n  vars: ${vars}\n  hosts: { x: }\n`);
  const runs = join(folder, 'runs');
  const reeve = (args: string[], dieAfter?: number) =>
    reeveSync([...args, '--runs', runs], {
      env:
        dieAfter === undefined
          ? process.env
          : {
              ...process.env,
              NODE_OPTIONS: `--import=${supportUrl('die-after')}`,
              REEVE_DIE_AFTER: `${dieAfter}`,
            },
    });
  const kept = join(dir, `${name}-kept`);
  const copy = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
  return {
    reeve,
    /** Keeps the folder as it is, the record of the run included, for `putBack`. */
    keep: () => cpSync(folder, kept, copy),
    putBack: () => {
      rmSync(folder, { recursive: true });
      cpSync(kept, folder, copy);
    },
    run: (dieAfter?: number) =>
      reeve(['run', join(folder, 'play.yaml'), '-i', join(folder, 'inventory.yaml')], dieAfter),
    tree: () => snapshotTree(base),
    log: () => snapshotTree(folder)['base.log']?.content,
    events: (): RunEvent[] => readJournal(join(runs, readdirSync(runs)[0]!, 'events.jsonl')).events,
  };
}

/** Which events of a run (counted from 1) are of these kinds. */
const numbersOf = (events: RunEvent[], ...types: RunEvent['type'][]) =>
  events.flatMap(({ type }, index) => (types.includes(type) ? [index + 1] : []));

describe('a run that is killed', () => {
  it('right before or after any of its effects goes back to what was there before, resumed or not', large, () => {
    const whole = prepare('whole');
    expect(whole.run().status).toBe(0);
    const points = numbersOf(whole.events(), 'effect-started', 'effect-ended');
    // Of each effect one end; of two effects one is resumed.
    const ofEachOne = [...points.entries()].filter(([index]) => index % 2 === Math.floor(index / 4) % 2);
    for (const [index, number] of sampled(ofEachOne, 2)) {
      const at = prepare(`at-${number}`);
      const before = at.tree();
      expect(at.run(number).status).toBe(null);
      // What a run that went on found is not what was there at first.
      if (Math.floor(index / 2) % 2 === 0) expect(at.reeve(['resume', 'last']).status).toBe(0);
      const back = at.reeve(['rollback', 'last', '--yes']);
      expect(back.stderr + back.stdout, `killed after event ${number}`).toContain('Rolled back.');
      expect(back.stdout).not.toContain('CANNOT');
      expect(at.tree(), `killed after event ${number}`).toEqual(before);
    }
  });
});

describe('a rollback that is killed', () => {
  it('at any event goes on where it was, undoes nothing twice, and runs the tasks of its own', () => {
    const whole = prepare('whole');
    const before = whole.tree();
    whole.run();
    const made = whole.events().length;
    whole.keep();
    const after = whole.tree();
    whole.reeve(['rollback', 'last', '--yes']);
    expect(whole.tree()).toEqual(before);
    const count = whole.events().length - made;
    // At every third event, its first and its last among them.
    const points = Array.from({ length: count }, (_, index) => index + 1);
    for (const number of sampled(
      points.filter((one) => one % 3 === 1 || one === count),
      4,
    )) {
      const at = whole;
      at.putBack();
      expect(at.tree()).toEqual(after);
      expect(at.reeve(['rollback', 'last', '--yes'], number).status, `event ${number} of ${count}`).toBe(null);
      const again = at.reeve(['rollback', 'last', '--yes']);
      expect([again.status, again.stderr], `event ${number}`).toEqual([0, '']);
      expect(at.tree(), `killed after event ${number}`).toEqual(before);
      expect(at.log()).toBe('cleaned\n');
      const undone = at.events().flatMap((event) => (event.type === 'undo-ended' && event.ok ? [event.effect] : []));
      expect(new Set(undone).size).toBe(undone.length);
      expect(at.reeve(['rollback', 'last', '--yes']).stdout).toContain('There is nothing to take back.');
    }
  });
});
