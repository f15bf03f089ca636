import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modules } from '../../modules/index.ts';
import { nameOf, tasksIn } from '../../runner/cli/runbook/steps.ts';
import { loadPlaybook } from '../../runner/playbook/parse.ts';
import { FOLDER, PLAYBOOK, ROOT, readExample, renderExamples } from './example.ts';

const RENDER = '`npm run examples -- --render` makes them anew';
const RECORD = '`npm run examples` records them anew';

describe('docs/examples', () => {
  it.each(Object.entries(renderExamples()))('%s is what the reporters make of the journal', (file, text) => {
    expect(readFileSync(join(FOLDER, file), 'utf8') === text, RENDER).toBe(true);
  });

  it('the journal is of the playbook as it is today', () => {
    const playbook = loadPlaybook(join(ROOT, PLAYBOOK), modules);
    const written = playbook.plays.flatMap((play) => tasksIn([...play.preTasks, ...play.tasks, ...play.postTasks]));
    const names = new Map(written.map((entry) => [entry.task.id, nameOf(entry)]));
    const recorded = new Map(
      readExample().events.flatMap((event) => (event.type === 'task-ended' ? [[event.task.id, event.task.name]] : [])),
    );
    const stale = [...recorded].filter(([id, name]) => names.get(id) !== name);
    expect(stale, RECORD).toEqual([]);
    const hostless = playbook.plays
      .map((play, index) => ({ play, index }))
      .filter(({ play }) => play.name.startsWith('Agents before'));
    const unused = hostless.map(({ index }) => `plays[${index}].`);
    const missing = [...names].filter(([id]) => !recorded.has(id) && !unused.some((start) => id.startsWith(start)));
    expect(missing, RECORD).toEqual([]);
  });

  it('nothing in them tells of the machine they were made on', () => {
    for (const file of ['run.json', 'events.jsonl', 'action-log.md', 'report.html'])
      expect(readFileSync(join(FOLDER, file), 'utf8')).not.toMatch(
        /\/tmp\/|\/root\/|\/home\/|\/work\/|127\.0\.0\.1:\d/,
      );
  });
});
