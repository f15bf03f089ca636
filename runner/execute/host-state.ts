import type { HostRecap, TaskStatus } from '../events.ts';
import type { HostFacts } from '../module.ts';

/** What a run knows of one host while it goes on. */
export class HostState {
  readonly name: string;
  readonly groups: readonly string[];
  /** Registers and set-vars: data, never rendered. */
  readonly data: Record<string, unknown> = {};
  facts: HostFacts | undefined;
  gathering: Promise<HostFacts> | undefined;
  /** Set when a task failed and nothing rescued it. */
  failed: 'failed' | 'unreachable' | undefined;
  /** Handlers waiting to run, by task id, and whether a change is known (true) or only possible (false). */
  readonly notified = new Map<string, boolean>();
  /** For a handler that others notified: those that led to it, by task id. */
  readonly notifiedBy = new Map<string, readonly string[]>();
  readonly recap: HostRecap = {
    ok: 0,
    changed: 0,
    unknown: 0,
    skipped: 0,
    failed: 0,
    unreachable: 0,
    rescued: 0,
    ignored: 0,
  };

  constructor(name: string, groups: readonly string[]) {
    this.name = name;
    this.groups = groups;
  }

  /** @param partly it failed, and some of its items have changed something. */
  count(status: TaskStatus, ignored: boolean, partly = false): void {
    if (ignored) this.recap.ignored++;
    if (ignored && partly) this.recap.changed++;
    // As in Ansible's recap, a changed task is also ok.
    if (ignored || status === 'changed') this.recap.ok++;
    if (!ignored || status === 'changed') this.recap[status]++;
  }
}
