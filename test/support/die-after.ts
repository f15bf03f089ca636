/**
 * Loaded before the real command line (`node --import`): kills the process (SIGKILL) right after so many events of its own
 * were handed to the journal, REEVE_DIE_AFTER. What a crash leaves behind is thus real.
 */
import { Journal } from '../../runner/journal/journal.ts';

let left = Number(process.env.REEVE_DIE_AFTER ?? 0);
const handle = Journal.prototype.handle;
Journal.prototype.handle = function (event) {
  handle.call(this, event);
  left -= 1;
  if (left !== 0) return;
  // What was handed to the system survives the process: that is what a flush has begun by now.
  this.flush().catch(() => {});
  process.kill(process.pid, 'SIGKILL');
};
