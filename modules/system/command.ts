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
import { quoteAll } from '../shared/quote.ts';
import { splitWords } from '../shared/words.ts';

export const command = defineModule({
  name: 'command',
  description: 'Runs a program with arguments, without a shell in between.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      cmd: {
        type: 'string',
        minLength: 1,
        description: 'Program and arguments in one line, split as a shell splits words; nothing is expanded.',
      },
      argv: {
        type: 'array',
        minItems: 1,
        items: { type: 'string' },
        description: 'Program and arguments as a list: needs no quotes.',
      },
      ...guardArguments,
      ...runArguments,
    },
  },
  shorthand: 'cmd',
  examples: [
    { title: 'Read a version while planning', yaml: 'command: { cmd: uname -r, reads: true }' },
    {
      title: 'Make a key once',
      yaml: 'command: { argv: [ssh-keygen, -q, -t, ed25519, -N, "", -f, /root/.ssh/id deploy], creates: /root/.ssh/id deploy }',
    },
  ],
  kind: 'action',
  noUndo: NO_UNDO,
  unpredictable: true,
  looks: onlyReads,
  guard: 'Runs every time, unless `creates` exists, `removes` does not exist, or `reads` is set.',
  returns: runFactsSchema,
  notes:
    'Variables, `*`, pipes and redirections have no meaning here: use `shell` for them. ' +
    'Line ends at the end of the output are left out of `stdout` and `stderr`.',
  check(args) {
    if ((args.cmd === undefined) === (args.argv === undefined)) return 'give either cmd or argv';
    const parsed = wordsOf(args as { cmd?: string; argv?: string[] });
    if ('problem' in parsed) return parsed.problem;
    if (parsed.words.length === 0) return 'the command is empty';
    return parsed.words[0]?.startsWith('-') ? 'the name of a program cannot begin with a dash' : undefined;
  },
  async plan(args, target) {
    const parsed = wordsOf(args);
    const words = 'words' in parsed ? parsed.words : [];
    // `exec` finds programs only: a word such as `cd` or `exit` must not reach a builtin of the shell.
    const execution = { script: `exec ${quoteAll(words)}`, display: args.cmd ?? quoteAll(words), ...args };
    return planExecution(execution, args, target);
  },
  apply: applyExecution,
});

function wordsOf(args: { cmd?: string; argv?: string[] }): ReturnType<typeof splitWords> {
  return Array.isArray(args.argv) ? { words: args.argv } : splitWords(String(args.cmd));
}
