import { basename } from 'node:path';
import { defineModule } from '../../runner/module.ts';
import {
  applyExecution,
  type Execution,
  guardArguments,
  NO_UNDO,
  onlyReads,
  planExecution,
  runArguments,
  runFactsSchema,
} from '../shared/execute.ts';
import { quote, quoteAll } from '../shared/quote.ts';
import { splitWords } from '../shared/words.ts';

const { stdin: _, ...scriptArguments } = runArguments;

export const script = defineModule({
  name: 'script',
  description: 'Sends a script of the control machine to the target and runs it there.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['src'],
    properties: {
      src: { type: 'string', minLength: 1, description: 'The script, found beside the playbook or in its `files/`.' },
      args: { type: 'array', items: { type: 'string' }, default: [], description: 'Arguments of the script.' },
      executable: {
        type: 'string',
        description: 'Interpreter with its options; default: the one that the first line of the script names, else sh.',
      },
      ...guardArguments,
      ...scriptArguments,
    },
  },
  shorthand: 'src',
  examples: [
    {
      title: 'Prepare a disk once',
      yaml: 'script: { src: prepare-disk.sh, args: [/dev/sdb, data], creates: /srv/data }',
    },
    {
      title: 'A check that changes nothing',
      yaml: 'script: { src: validate-node.py, executable: python3 -u, reads: true }',
    },
  ],
  kind: 'action',
  noUndo: NO_UNDO,
  unpredictable: true,
  looks: onlyReads,
  guard: 'Runs every time, unless `creates` exists, `removes` does not exist, or `reads` is set.',
  needs: ['mktemp'],
  returns: runFactsSchema,
  notes:
    'The script gets an empty standard input, keeps its name, and is removed afterwards. ' +
    'While it runs it is in a temporary directory of the target; a shell script with `reads: true` is not even that.',
  check(args) {
    const parsed = splitWords(String(args.executable ?? 'sh'));
    return 'problem' in parsed ? parsed.problem : undefined;
  },
  async plan(args, target) {
    const source = await target.source(args.src);
    const interpreter = args.executable ?? firstLineInterpreter(source.content);
    const parsed = splitWords(interpreter ?? '');
    const words = 'words' in parsed ? parsed.words : [];
    const { args: argv, ...others } = args;
    const execution: Execution = {
      ...others,
      script:
        (args.reads && withoutFile(basename(source.path), words, argv, source.content)) ||
        runScript(basename(source.path), words, argv),
      stdin: source.content,
      display: [args.src, quoteAll(argv)].join(' ').trimEnd(),
    };
    return planExecution(execution, args, target);
  },
  apply: applyExecution,
});

/** What `#!` names; undefined for a program that the kernel can start; `sh` for any other text. */
function firstLineInterpreter(content: Buffer): string | undefined {
  const line = /^#! *([^\r\n]+)/.exec(content.subarray(0, 512).toString('latin1'))?.[1];
  return line ?? (content.subarray(0, 4).toString('latin1') === '\x7fELF' ? undefined : 'sh');
}

const SHELLS = /(^|\/)(sh|dash|ash|bash|ksh|zsh)$/;
/** Linux takes no single argument of 128 KiB or more (MAX_ARG_STRLEN). */
const ARGUMENT_LIMIT = 128 * 1024;

/** A shell can take the text as an argument: then a script that only reads leaves no trace at all on the target. */
function withoutFile(name: string, interpreter: string[], args: string[], content: Buffer): string | undefined {
  if (!SHELLS.test(interpreter.at(-1) ?? '') && !SHELLS.test(interpreter[0] ?? '')) return undefined;
  if (content.length >= ARGUMENT_LIMIT || content.includes(0)) return undefined;
  return `t=$(cat)\n${interpreter.map(quote).join(' ')} -c "$t" ${quoteAll([name, ...args])} </dev/null`;
}

// The interpreter is named rather than left to the kernel, since /tmp may be mounted noexec.
function runScript(name: string, interpreter: string[], args: string[]): string {
  const invocation = [...interpreter.map(quote), '"$d"/' + quote(name), ...args.map(quote)].join(' ');
  return `d=$(mktemp -d "\${TMPDIR:-/tmp}/reeve-script.XXXXXX") || exit 1
trap 'rm -rf "$d"' EXIT
trap 'exit 143' HUP INT TERM
cat >"$d"/${quote(name)} && chmod 0700 "$d"/${quote(name)} || exit 1
${invocation} </dev/null`;
}
