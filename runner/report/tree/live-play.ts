import type { ListrTask, ProcessOutput } from 'listr2';
import type { PlayStarted, RunEvent } from '../../events.ts';
import type { LineOptions } from '../task-lines.ts';
import type { BatchView } from './batch-view.ts';
import { PlayView } from './play-view.ts';
import { createScreen, type Screen } from './screen.ts';

type Listr2 = typeof import('listr2');

/** A task of listr2 whose text we set. */
interface Titled {
  title: string;
}

/** One batch of the tree: it appears when it starts. */
interface Slot {
  started: PromiseWithResolvers<boolean>;
  ended: PromiseWithResolvers<void>;
}

export interface LivePlayOptions extends LineOptions {
  rows(): number;
}

/** Lines below a host with a place of its own. */
const MOST_ROOM = 6;
/** Lines for the hosts at work of a large batch. */
const MOST_CROWD = 16;

/** One play on the screen: feeds what the views say to a tree of listr2 tasks. */
export class LivePlay {
  readonly #options: LivePlayOptions;
  readonly #view: PlayView;
  readonly #slots: Slot[];
  /** How the text of each task of the tree is made: while it runs, and to stay. */
  readonly #texts: { task: Titled; live: (now: number) => string[]; record: () => string[] }[] = [];
  #screen: Screen | undefined;
  #paused = false;

  constructor(event: PlayStarted & { at: string }, options: LivePlayOptions) {
    this.#options = options;
    this.#view = new PlayView(event, options);
    this.#slots = Array.from({ length: event.batches }, () => ({
      started: Promise.withResolvers<boolean>(),
      ended: Promise.withResolvers<void>(),
    }));
  }

  handle(event: RunEvent): void {
    this.#view.handle(event);
    if (event.type === 'batch-started') this.#slots[event.batch]?.started.resolve(true);
    else if (event.type === 'batch-ended') this.#slots[event.batch]?.ended.resolve();
    else if (event.type === 'play-ended') this.end();
  }

  /** Nothing more comes, also when the play was cut short. */
  end(): void {
    for (const { started, ended } of this.#slots) {
      started.resolve(false);
      ended.resolve();
    }
  }

  /** Shows the play until it is over; its record stays on the screen. */
  async run(listr2: Listr2, output: ProcessOutput): Promise<void> {
    this.#screen = createScreen(listr2, output, {
      rows: this.#options.rows,
      footer: () => this.#view.footer(),
      beforeEnd: () => {
        for (const { task, record } of this.#texts) task.title = record().join('\n');
      },
    });
    if (this.#paused) this.#screen.pause();
    const tree = new listr2.Listr([this.#playTask()], {
      renderer: this.#screen.renderer,
      rendererOptions: {
        // Drawn by `refresh` alone.
        lazy: true,
        formatOutput: 'truncate',
        collapseSubtasks: false,
        showErrorMessage: false,
        logger: new listr2.ListrLogger({ useIcons: true, processOutput: output }),
      },
      exitOnError: false,
      registerSignalListeners: false,
    });
    await tree.run();
  }

  /** Draws what is new. */
  refresh(now: number): void {
    if (this.#paused) return;
    for (const { task, live } of this.#texts) {
      const text = live(now).join('\n');
      if (task.title !== text) task.title = text;
    }
    this.#screen?.draw();
  }

  pause(): void {
    this.#paused = true;
    this.#screen?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#screen?.resume();
  }

  #playTask(): ListrTask {
    const view = this.#view;
    return {
      title: view.name,
      task: async (_context, task) => {
        this.#show(
          task,
          () => view.live(),
          () => view.record(),
        );
        return task.newListr(
          this.#slots.map((slot, index) => this.#batchTask(slot, index)),
          { concurrent: false, exitOnError: false },
        );
      },
    };
  }

  #batchTask(slot: Slot, index: number): ListrTask {
    let asked = 0;
    return {
      title: `batch ${index + 1}`,
      // listr2 asks for all tasks at the start and again for each when it is its turn: then the answer may take its time.
      enabled: () => (asked++ === 0 ? false : slot.started.promise),
      task: async (_context, task) => {
        const view = this.#view.batches[index]!;
        const isLast = () => this.#view.batches.at(-1) === view;
        this.#show(
          task,
          (now) => view.live(now, isLast() ? Math.min(MOST_CROWD, this.#options.rows() - 4) : 0),
          () => view.record(),
        );
        if (view.hosts.length === 0) {
          await slot.ended.promise;
          if (view.failed) throw new Error('failed');
          return undefined;
        }
        return task.newListr(this.#hostTasks(view, slot), { concurrent: true, exitOnError: false });
      },
    };
  }

  #hostTasks(batch: BatchView, slot: Slot): ListrTask[] {
    return batch.hosts.map((host) => ({
      title: host.name,
      task: async (_context, task) => {
        this.#show(
          task,
          (now) => host.live(now, batch.over ? 0 : this.#roomIn(batch)),
          () => host.record(),
        );
        await slot.ended.promise;
        if (host.failed) throw new Error('failed');
      },
    }));
  }

  /** Lines for each host so that the whole batch can be seen. */
  #roomIn({ hosts }: BatchView): number {
    const free = this.#options.rows() - 4 - hosts.length;
    return Math.min(MOST_ROOM, Math.max(0, Math.floor(free / Math.max(1, hosts.filter((host) => host.active).length))));
  }

  #show(task: Titled, live: (now: number) => string[], record: () => string[]): void {
    this.#texts.push({ task, live, record });
  }
}
