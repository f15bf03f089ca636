import { defineModule } from '../../runner/module.ts';
import {
  applyExecution,
  guardArguments,
  NO_UNDO,
  onlyReads,
  planExecution,
  runArguments,
  runFactsSchema,
} from '../shared/execute.ts';
import { quote } from '../shared/quote.ts';

export const shell = defineModule({
  name: 'shell',
  description: 'Runs shell text on the target.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['cmd'],
    properties: {
      cmd: { type: 'string', minLength: 1, description: 'Text for the shell; may have several lines.' },
      executable: {
        type: 'string',
        description: 'Path of the shell on the target, such as /bin/bash; default: its POSIX sh.',
      },
      ...guardArguments,
      ...runArguments,
    },
  },
  shorthand: 'cmd',
  examples: [
    { title: 'A pipe that only reads', yaml: 'shell: { cmd: "df -P / | tail -n 1", reads: true }' },
    {
      title: 'With bash, once',
      yaml: 'shell: { cmd: "set -o pipefail; dmesg | gzip > /root/dmesg.gz", executable: /bin/bash, creates: /root/dmesg.gz }',
    },
  ],
  kind: 'action',
  noUndo: NO_UNDO,
  unpredictable: true,
  looks: onlyReads,
  guard: 'Runs every time, unless `creates` exists, `removes` does not exist, or `reads` is set.',
  returns: runFactsSchema,
  notes:
    'Put values into the text with the `quote` helper: `rm {{ quote path }}`. The exit code is the one of the last ' +
    'command; begin with `set -e` when every command must succeed.',
  async plan(args, target) {
    const script = args.executable === undefined ? args.cmd : `exec ${quote(args.executable)} -c ${quote(args.cmd)}`;
    return planExecution({ ...args, script, display: args.cmd }, args, target);
  },
  apply: applyExecution,
});
