/**
 * A process that runs a playbook with the real engine and journal, and kills itself (SIGKILL) right after one event. What a
 * crash leaves behind is thus real: a journal that ends anywhere, effects that have or have not happened.
 *
 * With `power` as the last argument the machine dies with it: what the journal wrote and did not sync is gone. With
 * `full` it does not die: from that event on the disk takes half of a write, and then no more.
 *
 * Arguments: playbook, inventory, folder for runs, number of the event to die after (0: live), `power` or `full`.
 */

import { writeSync } from 'node:fs';
import { execute } from '../../runner/cli/execute.ts';
import { loadRun } from '../../runner/cli/load-run.ts';
import type { RunEvent } from '../../runner/events.ts';
import { DISK, type Disk } from '../../runner/journal/disk.ts';
import { Journal } from '../../runner/journal/journal.ts';
import { loadDocument } from '../../runner/load/parse.ts';
import { dyingDisk } from './dying-disk.ts';

const [file, inventory, runs, dieAfter, fault] = process.argv.slice(2) as [string, string, string, string, string?];

let isFull = false;
let isHalf = false;
const fillingDisk: Disk = {
  ...DISK,
  write(descriptor, bytes, from) {
    if (!isFull) return DISK.write(descriptor, bytes, from);
    if (isHalf) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    isHalf = true;
    return DISK.write(descriptor, bytes.subarray(0, from + Math.ceil((bytes.length - from) / 2)), from);
  },
};

/** Holds back what is written until it is synced. */
function volatileDisk(): Disk {
  let held: Buffer[] = [];
  return {
    ...DISK,
    write(_descriptor, bytes, from) {
      held.push(Buffer.from(bytes.subarray(from)));
      return bytes.length - from;
    },
    async sync(descriptor) {
      const now = held;
      held = [];
      // As a disk does, it takes its time: whoever does not wait for it goes on without it.
      await new Promise((done) => setTimeout(done, 20));
      for (const bytes of now) writeSync(descriptor, bytes);
      await DISK.sync(descriptor);
    },
  };
}

const isLast = ({ seq }: RunEvent) => seq === Number(dieAfter);
if (fault !== undefined && fault !== '') {
  const handle = Journal.prototype.handle;
  Journal.prototype.handle = function (event: RunEvent) {
    handle.call(this, event);
    if (!isLast(event)) return;
    if (fault === 'power') process.kill(process.pid, 'SIGKILL');
    isFull = true;
  };
}
const disks = { power: volatileDisk, full: () => fillingDisk };
const disk = disks[fault as keyof typeof disks]?.() ?? dyingDisk(DISK, isLast, 'after');
const options = { inventory, runs, output: 'json' };
process.exitCode = await execute({
  file,
  ...(await loadRun((opener) => loadDocument(file, { opener }), options)),
  options,
  disk,
});
