import type { RunEvent } from '../../events.ts';
import { Failures } from '../failures.ts';
import { noticeLines } from '../notice-lines.ts';
import { painter } from '../paint.ts';
import { recapLines } from '../recap.ts';
import type { Reporter } from '../reporter.ts';
import { visibleEvent } from '../visible.ts';
import { LivePlay } from './live-play.ts';

export interface TreeOptions {
  verbose: boolean;
  diff: boolean;
  color: boolean;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** milliseconds between two drawings, at the least. */
const FRAME = 100;
/** Drawings without news, for the seconds that are counted, in milliseconds. */
const HEARTBEAT = 1_000;

/** The live tree for a person at a terminal: plays, batches, hosts and what each is doing; what happened stays. */
export function treeReporter(options: TreeOptions): Reporter {
  return new TreeReporter(options);
}

class TreeReporter implements Reporter {
  readonly #options: TreeOptions;
  readonly #lines;
  readonly #pending = new Map<string, readonly string[]>();
  /** The screen shows one thing after another, although events do not wait for it. */
  #shown: Promise<void> = Promise.resolve();
  #play: LivePlay | undefined;
  /** What was shown before the present play. */
  #before: Promise<void> = Promise.resolve();
  readonly #failures: Failures;
  #check = false;
  #news = false;

  constructor(options: TreeOptions) {
    this.#options = options;
    const { verbose, diff, color } = options;
    this.#lines = { verbose, diff, paint: painter(color) };
    this.#failures = new Failures(this.#lines);
  }

  handle(told: RunEvent): void {
    const event = visibleEvent(told);
    const { paint } = this.#lines;
    this.#news = true;
    switch (event.type) {
      case 'run-started':
        this.#check = event.check;
        this.#print([
          paint.bold(`${event.name}${event.check ? ' (check: nothing is written)' : ''}`) + paint.dim(`  ${event.run}`),
        ]);
        return;
      case 'play-started':
        this.#play?.end();
        this.#play = undefined;
        // A play that is left out, or whose hosts are not among --limit, is not worth a line.
        if (event.hosts.length === 0 && !this.#options.verbose) return;
        this.#start(new LivePlay(event, { ...this.#lines, rows: () => this.#options.stdout.rows ?? 24 }));
        return;
      case 'run-ended':
        this.#play?.end();
        this.#play = undefined;
        this.#print([...this.#failures.lines(), ...recapLines(event, this.#check, this.#pending, paint)]);
        return;
      case 'handlers-pending':
        this.#pending.set(event.host, event.handlers);
        return;
      default:
        if (event.type === 'task-ended') this.#failures.add(event);
        if (this.#play) this.#play.handle(event);
        else if (event.type === 'notice') this.#print(noticeLines(event, paint));
        if (event.type === 'play-ended') this.#play = undefined;
    }
  }

  async apart<T>(work: () => Promise<T>): Promise<T> {
    const play = this.#play;
    play?.pause();
    try {
      await this.#before;
      return await work();
    } finally {
      play?.resume();
    }
  }

  async close(): Promise<void> {
    this.#play?.end();
    await this.#shown;
  }

  #print(lines: string[]): void {
    this.#then(async () => void this.#options.stdout.write(`${lines.join('\n')}\n`));
  }

  #start(play: LivePlay): void {
    this.#play = play;
    this.#before = this.#shown;
    this.#then(async () => {
      // Loaded here: a run without a terminal does without.
      const listr2 = await import('listr2');
      const timer = this.#drawRegularly(play);
      try {
        const { stdout, stderr } = this.#options;
        await play.run(listr2, new listr2.ProcessOutput(stdout, stderr, { leaveEmptyLine: false }));
      } finally {
        clearInterval(timer);
      }
    });
  }

  #then(show: () => Promise<void>): void {
    this.#shown = this.#shown.then(show);
    if (!this.#play) this.#before = this.#shown;
    // Whoever closes the reporter is told.
    this.#shown.catch(() => {});
  }

  #drawRegularly(play: LivePlay): NodeJS.Timeout {
    let last = 0;
    return setInterval(() => {
      if (!this.#news && Date.now() - last < HEARTBEAT) return;
      this.#news = false;
      last = Date.now();
      play.refresh(last);
    }, FRAME);
  }
}
