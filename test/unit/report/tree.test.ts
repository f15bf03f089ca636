import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { treeReporter } from '../../../runner/report/tree/tree.ts';
import { playSyntheticRun } from '../../support/synthetic-run.ts';
import { event, recap, taskEnded, taskStarted } from './events.ts';

/** Stands in for a terminal; the real ones are in tree-terminal.test.ts. */
class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  readonly columns = 80;
  readonly rows = 24;
  readonly chunks: string[] = [];

  get text(): string {
    return this.chunks.join('');
  }

  // listr2 puts its own `write` in place of this one while it draws.
  override write = (chunk: unknown): boolean => {
    this.chunks.push(stripVTControlCharacters(String(chunk)));
    return true;
  };
}

function tree() {
  const terminal = new FakeTerminal();
  const stream = terminal as unknown as NodeJS.WriteStream;
  const other = new FakeTerminal() as unknown as NodeJS.WriteStream;
  const reporter = treeReporter({ verbose: false, diff: false, color: false, stdout: stream, stderr: other });
  return { reporter, terminal };
}

const started = event({
  type: 'run-started',
  playbook: 'x.yaml',
  name: 'Upgrade',
  inventory: [],
  check: false,
  diff: false,
  reeve: '0',
  inputs: {},
});
const playStarted = (batches: number, hosts = ['a', 'b']) =>
  event({ type: 'play-started', play: 0, name: 'the servers', hosts, batches });
const batchStarted = (batch: number, of: number, hosts = ['a', 'b']) =>
  event({ type: 'batch-started', play: 0, batch, of, hosts });
const ended = (outcome: 'done' | 'interrupted') =>
  event({ type: 'run-ended', exitCode: 0, outcome, duration: 1, recap: { a: recap({ ok: 1 }) }, nodes: {} });

describe('the tree', () => {
  it('leaves a record of all that happened, then failures and recap, however fast events come', async () => {
    const { reporter, terminal } = tree();
    await playSyntheticRun(reporter, {
      hosts: 3,
      tasks: 4,
      serial: 1,
      taskTime: 0,
      wait: async () => {},
      failing: [2],
    });
    await reporter.close!();
    const text = stripVTControlCharacters(terminal.text);
    expect(text).toMatch(/[⚠‼] upgrade the nodes/);
    expect(text).toMatch(/[✔√] batch 1 of 3/);
    expect(text).toMatch(/[✖×] node-002 {2}1 changed, 1 failed/);
    expect(text).toMatch(/changed {2}keep the config\n +\/etc\/rancher\/k3s\/config.yaml: content/);
    expect(text).toContain('the lease is held by nobody');
    expect(text.indexOf('FAILURES')).toBeGreaterThan(text.indexOf('batch 3 of 3'));
    expect(text).toMatch(
      /the budget shop\/web allows no eviction: 1 of 1 needed[\s\S]*hint: give shop\/web another replica/,
    );
    expect(text.indexOf('RECAP')).toBeGreaterThan(text.indexOf('FAILURES'));
  });

  it('is not redrawn by events: thousands at once cost no drawing of their own', async () => {
    const { reporter, terminal } = tree();
    reporter.handle(started);
    reporter.handle(playStarted(1));
    reporter.handle(batchStarted(0, 1));
    // Lets the first drawing begin.
    await expect.poll(() => terminal.text).toContain('the servers');
    const before = terminal.chunks.length;
    reporter.handle(taskStarted('a', 'x'));
    for (let n = 0; n < 5_000; n++) {
      reporter.handle(event({ type: 'task-output', host: 'a', task: 'x', stream: 'stdout', text: `line ${n}\n` }));
    }
    expect(terminal.chunks.length).toBe(before);
    await expect.poll(() => terminal.text).toContain('line 4999');
    expect(terminal.text).not.toContain('line 2500');
    reporter.handle(event({ type: 'batch-ended', play: 0, batch: 0, failed: [] }));
    reporter.handle(event({ type: 'play-ended', play: 0, failed: [], skippedBatches: 0 }));
    reporter.handle(ended('done'));
    await reporter.close!();
  });

  it('ends when the run is cut short in the middle of a batch', async () => {
    const { reporter, terminal } = tree();
    for (const one of [started, playStarted(3), batchStarted(0, 3), taskStarted('a', 'x')]) reporter.handle(one);
    reporter.handle(ended('interrupted'));
    await reporter.close!();
    const text = stripVTControlCharacters(terminal.text);
    expect(text).toContain('batch 1 of 3');
    expect(text).not.toContain('batch 2 of 3');
    expect(text).toContain('Interrupted after');
  });

  it('steps aside for a question and comes back', async () => {
    const { reporter, terminal } = tree();
    for (const one of [started, playStarted(1), batchStarted(0, 1)]) reporter.handle(one);
    await expect.poll(() => terminal.text).toContain('2 hosts: a, b');
    await reporter.apart(async () => {
      const before = terminal.text.length;
      // The streams are the caller's own meanwhile.
      terminal.write('Trust it? ');
      reporter.handle(taskEnded('a', 'x', { status: 'changed', changes: [{ summary: 'meanwhile' }] }));
      expect(terminal.text.slice(before)).toBe('Trust it? ');
    });
    await expect.poll(() => terminal.text).toContain('meanwhile');
    reporter.handle(event({ type: 'batch-ended', play: 0, batch: 0, failed: [] }));
    reporter.handle(event({ type: 'play-ended', play: 0, failed: [], skippedBatches: 0 }));
    reporter.handle(ended('done'));
    await reporter.close!();
    expect(terminal.text.endsWith('Done in 0.0 s.\n')).toBe(true);
  });

  it('draws all that is new at once, and never more lines than the terminal has', async () => {
    const { reporter, terminal } = tree();
    const hosts = Array.from({ length: 8 }, (_, index) => `h${index}`);
    for (const one of [started, playStarted(20, hosts)]) reporter.handle(one);
    // Batches that are over take two lines each: more than there are.
    for (let batch = 0; batch < 19; batch++) {
      reporter.handle(batchStarted(batch, 20, [`old${batch}`]));
      reporter.handle(event({ type: 'batch-ended', play: 0, batch, failed: [] }));
    }
    reporter.handle(batchStarted(19, 20, hosts));
    await expect.poll(() => terminal.text).toContain('h7');
    for (const host of hosts) {
      for (let n = 0; n < 9; n++) {
        reporter.handle(taskEnded(host, `t${n}`, { status: 'changed', changes: [{ summary: `change ${n}` }] }));
      }
      reporter.handle(taskStarted(host, 'now'));
    }
    await expect.poll(() => terminal.text).toContain('h7  now');
    const frames = terminal.chunks.filter((chunk) => chunk.includes('now'));
    expect(frames.filter((frame) => hosts.some((host) => !frame.includes(`${host}  now`)))).toEqual([]);
    expect(frames.filter((frame) => frame.split('\n').length > 24)).toEqual([]);
    reporter.handle(ended('interrupted'));
    await reporter.close!();
  });
});
