import type { BatchStarted, RunEvent } from '../../events.ts';
import { named } from '../names.ts';
import type { LineOptions } from '../task-lines.ts';
import { shownDuration } from '../time.ts';
import { CrowdView } from './crowd-view.ts';
import { HostView } from './host-view.ts';

/** Up to so many hosts of a batch each have a place of their own. */
export const MOST_PLACES = 8;

/** One batch of hosts, and what runs beside them on the control machine (the gate). */
export class BatchView {
  readonly #options: LineOptions;
  readonly #event: BatchStarted;
  readonly #since: number;
  readonly #hosts: Map<string, HostView>;
  readonly #crowd: CrowdView | undefined;
  /** Tasks on machines that are not of this batch: those of the gate. */
  readonly #beside = new Map<string, HostView>();
  #until: number | undefined;
  failed = false;

  constructor(event: BatchStarted & { at: string }, options: LineOptions) {
    this.#options = options;
    this.#event = event;
    this.#since = Date.parse(event.at);
    const isCrowd = event.hosts.length > MOST_PLACES;
    this.#crowd = isCrowd ? new CrowdView(event.hosts, options) : undefined;
    this.#hosts = new Map(isCrowd ? [] : event.hosts.map((name) => [name, new HostView(name, options)]));
  }

  /** Hosts that have a place of their own; none in a crowd. */
  get hosts(): readonly HostView[] {
    return [...this.#hosts.values()];
  }

  get over(): boolean {
    return this.#until !== undefined;
  }

  handle(host: string, event: RunEvent): void {
    if (this.#crowd && this.#event.hosts.includes(host)) {
      this.#crowd.handle(host, event);
      return;
    }
    let view = this.#hosts.get(host) ?? this.#beside.get(host);
    if (!view) {
      view = new HostView(host, this.#options);
      this.#beside.set(host, view);
    }
    view.handle(event);
  }

  end(at: number, failed: readonly string[]): void {
    this.#until = at;
    this.failed = failed.length > 0;
    for (const host of this.hosts) host.end(at, failed.includes(host.name));
    for (const host of this.#beside.values()) host.end(at, false);
  }

  /** The lines of the batch itself while it runs; hosts with a place of their own show themselves. */
  live(now: number, room: number): string[] {
    const beside = [...this.#beside.values()].flatMap((host) => host.live(now, 1));
    if (this.over) return [this.#title()];
    return [this.#title(), ...(this.#crowd?.live(now, room - beside.length) ?? []), ...beside];
  }

  record(): string[] {
    const beside = [...this.#beside.values()].flatMap((host) => host.record());
    return [this.#title(), ...(this.#crowd?.record() ?? []), ...beside];
  }

  #title(): string {
    const { batch, of, hosts } = this.#event;
    const { paint } = this.#options;
    // The only host of a batch says its name itself, below.
    const who = hosts.length === 1 ? (of > 1 ? '' : hosts[0]!) : `${hosts.length} hosts: ${named(hosts)}`;
    const number = of > 1 ? `batch ${batch + 1} of ${of}` : '';
    const time = this.#until === undefined ? '' : paint.dim(`  (${shownDuration(this.#until - this.#since)})`);
    return `${number}${number && who ? ': ' : ''}${who}${time}`;
  }
}
