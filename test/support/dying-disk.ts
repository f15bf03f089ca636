import type { RunEvent } from '../../runner/events.ts';
import type { Disk } from '../../runner/journal/disk.ts';

/** Whether what is on disk ends right before the event or right after it. */
export type Edge = 'before' | 'after';

/**
 * A disk whose machine stops (SIGKILL to this process) around one event of the journal: the file ends exactly there, though
 * a write may hold more, and whatever the run did until that write has happened.
 */
export function dyingDisk(disk: Disk, isLast: (event: RunEvent) => boolean, edge: Edge): Disk {
  return {
    ...disk,
    write(descriptor, bytes, from) {
      for (let start = from; start < bytes.length; ) {
        const end = bytes.indexOf('\n', start) + 1 || bytes.length;
        if (isLast(JSON.parse(bytes.toString('utf8', start, end)) as RunEvent)) {
          const kept = bytes.subarray(0, edge === 'after' ? end : start);
          for (let at = from; at < kept.length; ) at += disk.write(descriptor, kept, at);
          process.kill(process.pid, 'SIGKILL');
        }
        start = end;
      }
      return disk.write(descriptor, bytes, from);
    },
  };
}
