/** What a journal's records of a task on a host are found by. */
export function taskKey(host: string, task: string): string {
  return `${host}\n${task}`;
}

/** The same for one write of it: one item of its loop. */
export function effectKey({ host, task, item = '' }: { host: string; task: string; item?: string }): string {
  return `${taskKey(host, task)}\n${item}`;
}
