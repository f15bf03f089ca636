/**
 * A process that runs a playbook with the real engine and journal, and kills itself (SIGKILL) right after one event. What a
 * crash leaves behind is thus real: a journal that ends anywhere, effects that have or have not happened.
 *
 * With `power` as the last argument the machine dies with it: what the journal wrote and did not sync is gone. With
 * `full` it does not die: from that event on the disk takes half of a write, and then no more; with `readonly` none at all.
 *
 * Arguments: playbook, inventory, folder for runs, the event to die after (its number, or `TYPE` or
 * `TYPE:TASK` for the first of its kind; 0: live), `power`, `full` or `readonly`. In place of the playbook `resume` goes on with the
 * last run, with `accept` also when the playbook has changed.
 */

import { writeSync } from 'node:fs';
import { resume } from '../../runner/cli/commands/resume.ts';
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
const REAL = { ...DISK };
const fillingDisk: Disk = {
  ...REAL,
  write(descriptor, bytes, from) {
    if (!isFull) return REAL.write(descriptor, bytes, from);
    if (fault === 'readonly') throw Object.assign(new Error('EROFS: read-only file system, write'), { code: 'EROFS' });
    if (isHalf) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    isHalf = true;
    return REAL.write(descriptor, bytes.subarray(0, from + Math.ceil((bytes.length - from) / 2)), from);
  },
};

/** Holds back what is written until it is synced. */
function volatileDisk(): Disk {
  let held: Buffer[] = [];
  return {
    ...REAL,
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
      await REAL.sync(descriptor);
    },
  };
}

function isTheOne(event: RunEvent): boolean {
  if (/^\d+$/.test(dieAfter)) return event.seq === Number(dieAfter);
  const [type, name] = dieAfter.split(':');
  return event.type === type && (name === undefined || ('task' in event && nameOf(event.task) === name));
}

function nameOf(task: unknown): unknown {
  return typeof task === 'object' && task !== null && 'name' in task ? task.name : task;
}

const disks = { power: volatileDisk, full: () => fillingDisk, readonly: () => fillingDisk };
const faulty = disks[fault as keyof typeof disks]?.();
if (faulty) {
  const handle = Journal.prototype.handle;
  Journal.prototype.handle = function (event: RunEvent) {
    handle.call(this, event);
    if (!isTheOne(event)) return;
    if (fault === 'power') process.kill(process.pid, 'SIGKILL');
    isFull = true;
  };
}
const disk = faulty ?? dyingDisk(REAL, isTheOne, 'after');
// Whoever opens a journal without saying with what (resume) gets this one.
Object.assign(DISK, disk);
const options = { inventory, runs, output: 'json', acceptChanges: fault === 'accept' };
process.exitCode =
  file === 'resume'
    ? await resume('last', options)
    : await execute({ file, ...(await loadRun((opener) => loadDocument(file, { opener }), options)), options });
