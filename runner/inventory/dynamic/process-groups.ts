const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const running = new Set<number>();

/** How many of them run, or are being started. */
let watched = 0;

/**
 * Starts the leader of a process group. A group of its own does not hear Ctrl-C: what ends reeve ends it first. Signals are
 * listened to before it starts: one that came between its start and the listening would end reeve alone.
 * @returns what was started, and what to call when it has ended.
 */
export function startGroup<T extends { pid?: number | undefined }>(start: () => T): { leader: T; ended: () => void } {
  if (watched++ === 0) for (const signal of ENDING) process.on(signal, onSignal);
  const leader = start();
  const { pid } = leader;
  if (pid !== undefined) running.add(pid);
  let isOver = false;
  const ended = () => {
    if (isOver) return;
    isOver = true;
    if (pid !== undefined) running.delete(pid);
    if (--watched === 0) for (const signal of ENDING) process.off(signal, onSignal);
  };
  return { leader, ended };
}

export function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

function onSignal(signal: NodeJS.Signals): void {
  for (const pid of running) endGroup(pid);
  for (const each of ENDING) process.off(each, onSignal);
  // Whoever else listens decides; where nobody does it is as if the signal had never been caught.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
