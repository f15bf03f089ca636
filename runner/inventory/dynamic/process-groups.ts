const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const running = new Set<number>();

/**
 * Remembers the leader of a process group. A group of its own does not hear Ctrl-C: what ends reeve ends it first.
 * Returns the undoing, for when it has ended.
 */
export function endWithReeve(pid: number | undefined): () => void {
  if (pid === undefined) return () => {};
  if (running.size === 0) for (const signal of ENDING) process.on(signal, onSignal);
  running.add(pid);
  return () => {
    running.delete(pid);
    if (running.size === 0) for (const signal of ENDING) process.off(signal, onSignal);
  };
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
