/**
 * A process that runs a playbook with the real engine and journal, and kills itself (SIGKILL) right after one event. What a
 * crash leaves behind is thus real: a journal that ends anywhere, effects that have or have not happened.
 *
 * Arguments: playbook, inventory, folder for runs, number of the event to die after (0: live).
 */

import { execute } from '../../runner/cli/execute.ts';
import { loadRun } from '../../runner/cli/load-run.ts';
import type { RunEvent } from '../../runner/events.ts';
import { Journal } from '../../runner/journal/journal.ts';
import { loadDocument } from '../../runner/load/parse.ts';

const [file, inventory, runs, dieAfter] = process.argv.slice(2) as [string, string, string, string];
const handle = Journal.prototype.handle;
Journal.prototype.handle = function (event: RunEvent) {
  handle.call(this, event);
  if (event.seq !== Number(dieAfter)) return;
  // What was handed to the system survives the process: that is what a flush has begun by now.
  this.flush().catch(() => {});
  process.kill(process.pid, 'SIGKILL');
};
const options = { inventory, runs, output: 'json' };
process.exitCode = await execute({
  file,
  ...(await loadRun((opener) => loadDocument(file, { opener }), options)),
  options,
});
