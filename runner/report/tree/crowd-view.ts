import type { RunEvent, TaskEnded } from '../../events.ts';
import { unifiedDiff } from '../diff.ts';
import { isFailure } from '../failures.ts';
import { named } from '../names.ts';
import { type LineOptions, taskLinesBelowHost } from '../task-lines.ts';
import { type Counts, countsText } from './counts.ts';
import { HostView, isWorthTelling } from './host-view.ts';

/** Different changes of one task that are told. */
const MOST_CHANGES = 5;

/** One task on all hosts of the batch. */
interface TaskSum {
  name: string;
  counts: Counts;
  worthTelling: boolean;
  /** Hosts by what was changed there: what is alike is told once. */
  changes: Map<string, { lines: string[]; hosts: string[] }>;
  /** Told whole: warnings, and failures that were ignored. */
  stories: string[][];
}

/**
 * A batch of many hosts. A line for each of a hundred hosts tells nobody anything: while it runs the hosts at work are
 * shown, and what is kept is told by task.
 */
export class CrowdView {
  readonly #options: LineOptions;
  readonly #hosts: Map<string, HostView>;
  readonly #tasks = new Map<string, TaskSum>();
  readonly #failed = new Set<string>();
  readonly #width: number;

  constructor(hosts: readonly string[], options: LineOptions) {
    this.#options = options;
    this.#hosts = new Map(hosts.map((name) => [name, new HostView(name, { ...options, verbose: false, diff: false })]));
    this.#width = Math.max(...hosts.map((name) => name.length));
  }

  /** Takes an event of one of its hosts. */
  handle(host: string, event: RunEvent): void {
    if (event.type === 'task-ended') {
      this.#ended(event);
      if (isFailure(event)) this.#failed.add(host);
    }
    this.#hosts.get(host)?.handle(event);
  }

  live(now: number, room: number): string[] {
    const { paint } = this.#options;
    const active = [...this.#hosts.values()].filter((host) => host.active);
    const latest = [...this.#tasks.values()].at(-1);
    const doing = new Set(active.map((host) => host.task));
    // Usually all hosts are at the same task: then it is said once.
    const common = doing.size === 1 ? [...doing][0] : undefined;
    const lines: string[] = [];
    if (this.#failed.size > 0) lines.push(paint.bad(`failed: ${named(this.#inOrder(this.#failed))}`));
    if (latest && latest.name !== common) lines.push(this.#sum(latest));
    if (common !== undefined) lines.push(latest?.name === common ? this.#sum(latest) : common);
    const shown = active.slice(0, Math.max(1, room - lines.length - 1));
    const rest = active.length - shown.length;
    return [
      ...lines,
      ...shown.map((host) => host.brief(now, this.#width, common === undefined)),
      ...(rest > 0 ? [paint.dim(`… and ${rest} more at work`)] : []),
    ];
  }

  record(): string[] {
    return [...this.#tasks.values()]
      .filter((task) => task.worthTelling || this.#options.verbose)
      .flatMap((task) => [this.#sum(task), ...this.#details(task).map((line) => `  ${line}`)]);
  }

  #ended(event: TaskEnded): void {
    const { id, name } = event.task;
    let sum = this.#tasks.get(id);
    if (!sum) {
      sum = { name, counts: {}, worthTelling: false, changes: new Map(), stories: [] };
      this.#tasks.set(id, sum);
    }
    const status = event.ignored ? 'ignored' : event.status;
    sum.counts[status] = (sum.counts[status] ?? 0) + 1;
    if (!isWorthTelling(event, false)) return;
    sum.worthTelling = true;
    const isStory = status !== 'ok' && status !== 'changed' && status !== 'unknown';
    // Failures are told in full at the end.
    if (isFailure(event)) return;
    if (isStory || (event.warnings?.length ?? 0) > 0) {
      sum.stories.push(taskLinesBelowHost(event, this.#options, `${event.host}: `));
    } else this.#addAlike(sum, event);
  }

  /** Groups hosts on which a task found or did the same. */
  #addAlike(sum: TaskSum, event: TaskEnded): void {
    const { diff, paint } = this.#options;
    const lines = [
      ...(event.message ? event.message.split('\n') : []),
      ...event.changes.flatMap((change) => [change.summary, ...(diff ? unifiedDiff(change, paint) : [])]),
    ];
    const key = lines.join('\n');
    const alike = sum.changes.get(key) ?? { lines, hosts: [] };
    alike.hosts.push(event.host);
    sum.changes.set(key, alike);
  }

  /** Which host is done first is chance. */
  #inOrder(names: ReadonlySet<string>): string[] {
    return [...this.#hosts.keys()].filter((name) => names.has(name));
  }

  #sum({ name, counts }: TaskSum): string {
    return `${name}: ${countsText(counts, this.#options.paint)}`;
  }

  #details(task: TaskSum): string[] {
    const { paint } = this.#options;
    const groups = [...task.changes.values()];
    const told = groups
      .slice(0, MOST_CHANGES)
      .flatMap(({ lines: [first = '', ...rest], hosts }) => [
        `${first}${paint.dim(` (${named(this.#inOrder(new Set(hosts)))})`)}`,
        ...rest,
      ]);
    const left = groups.slice(MOST_CHANGES).reduce((sum, group) => sum + group.hosts.length, 0);
    return [
      ...told,
      ...(left > 0 ? [paint.dim(`… and ${left} more hosts, each with something else`)] : []),
      ...task.stories.flat(),
    ];
  }
}
