import {
  EVENT_VERSION,
  type EventBody,
  type EventSink,
  type HostRecap,
  type TaskReference,
} from '../../runner/events.ts';

export interface SyntheticRun {
  hosts: number;
  tasks: number;
  /** Hosts a batch; default: all. */
  serial?: number;
  /** Called between events so that time passes; milliseconds. */
  wait(ms: number): Promise<void>;
  /** How long one task takes, in milliseconds. */
  taskTime: number;
  /** Hosts (by number from 1) whose second task fails. */
  failing?: number[];
}

/** The events of a run that never was: tasks with progress, output, changes and failures on any number of hosts. */
export async function playSyntheticRun(sink: EventSink, options: SyntheticRun): Promise<number> {
  let seq = 0;
  const emit = (body: EventBody) => {
    seq++;
    sink.handle({ v: EVENT_VERSION, seq, at: new Date().toISOString(), run: 'synthetic', ...body });
  };
  const names = Array.from({ length: options.hosts }, (_, index) => `node-${String(index + 1).padStart(3, '0')}`);
  const size = options.serial ?? names.length;
  const batches = Array.from({ length: Math.ceil(names.length / size) }, (_, n) =>
    names.slice(n * size, (n + 1) * size),
  );
  const failing = new Set((options.failing ?? []).map((number) => names[number - 1]!));
  const recap: Record<string, HostRecap> = {};
  const startedAt = Date.now();
  emit({
    type: 'run-started',
    playbook: 'synthetic.yaml',
    name: 'Synthetic run',
    inventory: [],
    check: false,
    diff: false,
    reeve: '0',
    inputs: {},
  });
  emit({ type: 'play-started', play: 0, name: 'upgrade the nodes', hosts: names, batches: batches.length });
  for (const [batch, hosts] of batches.entries()) {
    emit({ type: 'batch-started', play: 0, batch, of: batches.length, hosts });
    for (const host of hosts) recap[host] = emptyRecap();
    const failed = new Set<string>();
    for (let number = 0; number < options.tasks; number++) {
      if (batch === 0 && number === 1)
        emit({ type: 'notice', level: 'warning', message: 'the lease is held by nobody' });
      const alive = hosts.filter((host) => !failed.has(host));
      await Promise.all(
        alive.map(async (host) => {
          const fails = number === 1 && failing.has(host);
          await oneTask(emit, { batch, host, number, fails }, options, recap[host]!);
          if (fails) failed.add(host);
        }),
      );
    }
    emit({ type: 'batch-ended', play: 0, batch, failed: [...failed] });
  }
  emit({ type: 'play-ended', play: 0, failed: [...failing], skippedBatches: 0 });
  emit({
    type: 'run-ended',
    exitCode: failing.size > 0 ? 2 : 0,
    outcome: failing.size > 0 ? 'failed' : 'done',
    duration: Date.now() - startedAt,
    recap,
    nodes: {},
  });
  return seq;
}

async function oneTask(
  emit: (body: EventBody) => void,
  { batch, host, number, fails }: { batch: number; host: string; number: number; fails: boolean },
  { wait, taskTime }: SyntheticRun,
  recap: HostRecap,
): Promise<void> {
  const id = `plays[0].tasks[${number}]`;
  const name = ['keep the config', 'drain the node', 'install k3s', 'wait for the node'][number % 4]!;
  const task: TaskReference = { id, name, module: 'command', section: 'tasks' };
  const startedAt = Date.now();
  emit({ type: 'task-started', play: 0, batch, host, task });
  for (let step = 1; step <= 5; step++) {
    await wait((taskTime / 5) * (0.5 + Math.random()));
    if (number % 4 === 1)
      emit({ type: 'task-progress', host, task: id, message: `evicted shop/web-${step} (${step} of 5)` });
    if (number % 4 === 2)
      emit({ type: 'task-output', host, task: id, stream: 'stdout', text: `[INFO]  step ${step} of the installer\n` });
  }
  const changed = number % 4 === 0;
  const status = fails ? 'failed' : changed ? 'changed' : 'ok';
  recap[status]++;
  emit({
    type: 'task-ended',
    play: 0,
    batch,
    host,
    task,
    status,
    duration: Date.now() - startedAt,
    changes: changed
      ? [
          {
            summary: '/etc/rancher/k3s/config.yaml: content',
            path: '/etc/rancher/k3s/config.yaml',
            before: 'a\n',
            after: 'b\n',
          },
        ]
      : [],
    ...(fails
      ? {
          message: 'the budget shop/web allows no eviction: 1 of 1 needed',
          error: { code: 'task-failed', message: 'the budget', hint: 'give shop/web another replica' },
        }
      : {}),
  });
}

function emptyRecap(): HostRecap {
  return { ok: 0, changed: 0, unknown: 0, skipped: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0 };
}
