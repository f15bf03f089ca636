import type { DefaultRenderer, ProcessOutput } from 'listr2';

type Listr2 = typeof import('listr2');

/** How the live tree is drawn: when this says so and no taller than the terminal. */
export interface Screen {
  readonly renderer: typeof DefaultRenderer;
  draw(): void;
  /** Leaves the terminal to somebody else (a question) until `resume`. */
  pause(): void;
  resume(): void;
}

/**
 * listr2's own renderer, with two things changed. It draws when it is told to rather than on each change of any task:
 * with a hundred hosts that took more time than the run. And it never draws more lines than the terminal has, since what
 * has scrolled out cannot be rewritten.
 *
 * @param output the streams to draw on, which listr2 takes over meanwhile.
 * `footer` gives lines below the tree; `beforeEnd` is called before the record is left on the screen.
 */
export function createScreen(
  listr2: Listr2,
  output: ProcessOutput,
  options: { rows(): number; footer(): string[]; beforeEnd(): void },
): Screen {
  let current: Renderer | undefined;
  let paused = false;

  class Renderer extends listr2.DefaultRenderer {
    override async render(): Promise<void> {
      await super.render();
      current = this;
      if (paused) output.release();
    }

    override update(): void {
      // Each change of a title comes here: `draw` collects them.
    }

    override end(): void {
      current = undefined;
      options.beforeEnd();
      super.end();
    }

    draw(): void {
      const lines = [...this.create().split('\n'), ...options.footer()];
      // The cursor stands on a line of its own below.
      // biome-ignore lint/complexity/useLiteralKeys: listr2 keeps it private.
      this['updater'](lines.slice(-Math.max(1, options.rows() - 1)).join('\n'));
    }

    clear(): void {
      // biome-ignore lint/complexity/useLiteralKeys: listr2 keeps it private.
      this['updater'].clear();
    }
  }

  return {
    renderer: Renderer,
    draw: () => {
      if (!paused) current?.draw();
    },
    pause: () => {
      paused = true;
      if (!current) return;
      current.clear();
      output.release();
    },
    resume: () => {
      paused = false;
      if (current) output.hijack();
    },
  };
}
