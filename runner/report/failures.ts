import type { TaskEnded } from '../events.ts';
import { named } from './names.ts';
import { type LineOptions, taskLinesBelowHost } from './task-lines.ts';

/** Failures told in full; more of them are only counted. */
const MOST_TOLD = 20;

/** Collects failed tasks, to tell them in full at the end. What is alike on several hosts is told once. */
export class Failures {
  readonly #alike = new Map<string, { lines: string[]; hosts: string[] }>();
  readonly #options: LineOptions;

  constructor(options: LineOptions) {
    this.#options = { ...options, verbose: false };
  }

  add(event: TaskEnded): void {
    if (!isFailure(event)) return;
    // How long each took must not tell them apart.
    const lines = taskLinesBelowHost({ ...event, duration: 0 }, this.#options);
    const key = lines.join('\n');
    const alike = this.#alike.get(key);
    if (alike) alike.hosts.push(event.host);
    else this.#alike.set(key, { lines, hosts: [event.host] });
  }

  lines(): string[] {
    const all = [...this.#alike.values()];
    if (all.length === 0) return [];
    const { paint } = this.#options;
    const told = all
      .slice(0, MOST_TOLD)
      .flatMap(({ lines, hosts }) => [`  ${paint.bold(named(hosts))}`, ...lines.map((line) => `    ${line}`)]);
    const left = all.length - MOST_TOLD;
    return ['', paint.bold('FAILURES'), ...told, ...(left > 0 ? [`  … and ${left} more`] : [])];
  }
}

/** Whether the task brought its host down. */
export function isFailure({ status, ignored }: TaskEnded): boolean {
  return !ignored && (status === 'failed' || status === 'unreachable');
}
