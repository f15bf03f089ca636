import { createHash } from 'node:crypto';
import type { RunRequest } from '../connect/jobs.ts';
import type { JobOptions, RunResult } from '../module.ts';
import type { EffectKey } from './recorded-effects.ts';
import type { TargetParts } from './target.ts';

/**
 * The detached jobs of one effect. Their folders stay on the target until the journal has the end of the effect on disk:
 * whatever dies before that finds there what has been done, and does not do it a second time.
 */
export class EffectJobs {
  readonly #parts: TargetParts;
  readonly #prefix: string;
  readonly #stateDir: () => string;
  /** The run died in this effect: what it began goes on, or has ended, and either way is not begun again. */
  readonly #isAttaching: boolean;
  readonly #begun = new Set<string>();

  constructor(parts: TargetParts, place: EffectKey, stateDir: () => string) {
    this.#parts = parts;
    this.#stateDir = stateDir;
    const open = parts.run.replay?.effects.takeOpen(place);
    const names = [place.host, open?.task ?? place.task, place.item ?? ''];
    const hash = createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 8);
    this.#prefix = `${parts.run.emitter.run}-${hash}-`;
    this.#isAttaching = open !== undefined;
  }

  /** Whether an earlier process of the run has died in this effect. */
  get isResumed(): boolean {
    return this.#isAttaching;
  }

  get #dir(): string {
    return `${this.#stateDir()}/jobs`;
  }

  /** As {@link WriteTarget.job} has it. */
  async run(options: JobOptions): Promise<RunResult> {
    const { run, host, taskId, where } = this.#parts;
    const { runJob } = await import('../connect/jobs.ts');
    const attach = this.#isAttaching && !this.#begun.has(options.name);
    this.#begun.add(options.name);
    const request: RunRequest = (one) => run.connections.run(where.spec, where.become, one);
    return runJob(request, {
      ...options,
      env: { ...where.environment, ...options.env },
      dir: this.#dir,
      name: this.#prefix + options.name,
      attach,
      signal: where.signal,
      onAway: (message) => void run.emitter.emit({ type: 'task-progress', host: host.name, task: taskId, message }),
      ...(where.onOutput ? { onOutput: where.onOutput } : {}),
    });
  }

  /** Takes the folders of its jobs away once all that was emitted, the end of the effect too, is on disk. */
  async clear(): Promise<void> {
    if (this.#begun.size === 0) return;
    try {
      await this.#parts.run.emitter.flush();
    } catch {
      // The journal has failed: that stops the run at its next effect, and these are what its resume goes by.
      return;
    }
    await this.clearLeft();
  }

  /** Takes away what an earlier process has left of an effect that is recorded, or that turned out to be done. */
  async clearLeft(): Promise<void> {
    const { removeJobs } = await import('../connect/jobs.ts');
    const { run, where } = this.#parts;
    const request: RunRequest = (one) => run.connections.run(where.spec, where.become, one);
    await removeJobs(request, this.#dir, this.#prefix);
  }
}
