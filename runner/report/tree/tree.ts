import type { RunEvent } from '../../events.ts';
import { Failures } from '../failures.ts';
import { painter } from '../paint.ts';
import { recapLines } from '../recap.ts';
import type { Reporter } from '../reporter.ts';
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
  #onScreen: LivePlay | undefined;
  readonly #failures: Failures;
  #check = false;
  #news = false;

  constructor(options: TreeOptions) {
    this.#options = options;
    const { verbose, diff, color } = options;
    this.#lines = { verbose, diff, paint: painter(color) };
    this.#failures = new Failures(this.#lines);
  }

  handle(event: RunEvent): void {
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
        else if (event.type === 'notice')
          this.#print([event.level === 'info' ? event.message : paint.warn(`${event.level}: ${event.message}`)]);
        if (event.type === 'play-ended') this.#play = undefined;
    }
  }

  async apart<T>(work: () => Promise<T>): Promise<T> {
    const play = this.#onScreen;
    play?.pause();
    try {
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
    this.#then(async () => {
      // Loaded here: a run without a terminal does without.
      const listr2 = await import('listr2');
      this.#onScreen = play;
      const timer = this.#drawRegularly(play);
      try {
        const { stdout, stderr } = this.#options;
        await play.run(listr2, new listr2.ProcessOutput(stdout, stderr, { leaveEmptyLine: false }));
      } finally {
        clearInterval(timer);
        this.#onScreen = undefined;
      }
    });
  }

  #then(show: () => Promise<void>): void {
    this.#shown = this.#shown.then(show);
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
