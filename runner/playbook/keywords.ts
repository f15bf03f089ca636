import type { JsonSchema } from '../schema-types.ts';

/** Where a keyword may stand. `include` is a step whose tasks come from another file. */
export type Level = 'playbook' | 'play' | 'block' | 'include' | 'task' | 'handler';

/**
 * How a value is read: `literal` as it is; `template` with its strings rendered; `condition` as CEL (text, true or
 * false, or a list of which all must be true); `loop` as a list, a mapping or CEL; `vars` as variable definitions;
 * `steps`, `handlers` and `plays` as lists of those; `inputs` as input definitions.
 */
type Reading = 'literal' | 'template' | 'condition' | 'loop' | 'vars' | 'steps' | 'handlers' | 'plays' | 'inputs';

/** One keyword of the language. Parser, schemas, docs and hints are all made from this table. */
export interface Keyword {
  name: string;
  on: readonly Level[];
  reads: Reading;
  /** The value before templates come into it: a `template` keyword takes text with a template as well. */
  schema: JsonSchema;
  /** What belongs here, where that reads better than what the schema says. */
  expects?: string;
  description: string;
  /** What Ansible calls it, when it differs. */
  ansible?: string;
}

const STEPS: readonly Level[] = ['block', 'include', 'task', 'handler'];
const INSIDE_PLAY: readonly Level[] = ['play', ...STEPS];
const TASKS: readonly Level[] = ['task', 'handler'];

const TEXT: JsonSchema = { type: 'string', minLength: 1 };
const FLAG: JsonSchema = { type: 'boolean' };
const LIST: JsonSchema = { type: 'array' };
const STRINGS: JsonSchema = { anyOf: [TEXT, { type: 'array', items: TEXT }] };
const DURATION: JsonSchema = {
  anyOf: [
    { type: 'number', minimum: 0 },
    { type: 'string', pattern: '^\\s*(\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)\\s*)+$' },
  ],
};
const A_DURATION = 'a duration such as 90, 90s or 1h30m';
const CONDITION: JsonSchema = {
  anyOf: [{ type: 'boolean' }, TEXT, { type: 'array', items: { anyOf: [{ type: 'boolean' }, TEXT] } }],
};
const A_CONDITION = 'an expression, true or false, or a list of those';
/** A name that templates and expressions can use as it is. */
export const NAME_PATTERN = '^[A-Za-z_][A-Za-z0-9_]*$';
const VARIABLE: JsonSchema = { type: 'string', pattern: NAME_PATTERN };
const BATCH: JsonSchema = {
  anyOf: [
    { type: 'integer', minimum: 1 },
    { type: 'string', pattern: '^[1-9][0-9]*%?$' },
  ],
};

export const KEYWORDS: readonly Keyword[] = [
  // What a playbook is.
  {
    name: 'name',
    on: ['playbook', 'play'],
    reads: 'literal',
    schema: TEXT,
    description: 'What it is called in the output.',
  },
  {
    name: 'name',
    on: STEPS,
    reads: 'template',
    schema: TEXT,
    description: 'What it is called in the output; handlers are notified by it.',
  },
  {
    name: 'description',
    on: ['playbook'],
    reads: 'literal',
    schema: TEXT,
    description: 'What the playbook does, in a few sentences.',
  },
  {
    name: 'notes',
    on: ['playbook'],
    reads: 'literal',
    schema: STRINGS,
    expects: 'text, or a list of texts',
    description: 'What the action log of every run says under Notes: who to tell, what to look at afterwards.',
  },
  {
    name: 'inputs',
    on: ['playbook'],
    reads: 'inputs',
    schema: { type: 'object' },
    description:
      'Values the playbook takes from outside (`-e name=value`), each a JSON Schema; one without `default` is required. Read as `inputs.NAME`.',
    ansible: 'vars_prompt',
  },
  {
    name: 'approval',
    on: ['playbook'],
    reads: 'template',
    schema: TEXT,
    description:
      'Name of an approval that a run needs: `--check` prints it together with the hash of the plan, `--approve NAME:HASH` gives it. Empty: none is needed.',
  },
  {
    name: 'lock',
    on: ['playbook'],
    reads: 'template',
    schema: TEXT,
    description:
      'Name of a lock; of two runs with the same lock the second waits (`--lock-wait`) or is refused. NAME is a lock in the cluster, NAME@HOST one on that host, NAME@localhost one on the control machine.',
  },
  {
    name: 'plays',
    on: ['playbook'],
    reads: 'plays',
    schema: { type: 'array', minItems: 1 },
    expects: 'a list of plays',
    description: 'What is done, in order: each play runs tasks on a set of hosts.',
  },

  // Which hosts, in which order.
  {
    name: 'hosts',
    on: ['play'],
    reads: 'template',
    schema: STRINGS,
    expects: 'a host pattern (text, or a list of patterns)',
    description: 'Host pattern: names and groups, `a:b`, `a:&b`, `a:!b`, globs, `~regex`, `group[0]`, `group[1:3]`.',
  },
  {
    name: 'serial',
    on: ['play'],
    reads: 'template',
    schema: { anyOf: [BATCH, { type: 'array', items: BATCH, minItems: 1 }] },
    expects: 'a number of hosts, a percentage such as 25%, or a list of those',
    description: 'Hosts per batch; of a list each batch takes one, and the last is repeated.',
  },
  {
    name: 'max_fail_percentage',
    on: ['play'],
    reads: 'literal',
    schema: { type: 'number', minimum: 0, maximum: 100 },
    description: 'How many hosts of a batch, in percent, may fail before no further batch starts.',
  },
  {
    name: 'any_errors_fatal',
    on: ['play'],
    reads: 'literal',
    schema: FLAG,
    description: 'The first failed host ends the play for all hosts.',
  },
  {
    name: 'on_failure',
    on: ['play'],
    reads: 'literal',
    schema: { type: 'string', enum: ['stop', 'continue', 'rollback', 'pause'] },
    description:
      'When hosts failed in this play. stop (default, or what `--on-failure` says): the other hosts finish it, no further play runs. continue: the plays after it run. rollback: the changes of this play are taken back. pause: nothing more starts on any host; `reeve resume` goes on.',
  },
  {
    name: 'order',
    on: ['play'],
    reads: 'literal',
    schema: { type: 'string', enum: ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle'] },
    description: 'Order of the hosts; default that of the inventory.',
  },
  {
    name: 'strategy',
    on: ['play'],
    reads: 'literal',
    schema: { type: 'string', enum: ['linear', 'free'] },
    description: 'linear: all hosts finish a task before the next begins. free: each host goes on by itself.',
  },
  {
    name: 'gather_facts',
    on: ['play'],
    reads: 'literal',
    schema: FLAG,
    description:
      'true gathers the facts of all hosts at the start; by default a host’s are gathered when something first asks for them.',
  },
  {
    name: 'confirm',
    on: ['play'],
    reads: 'template',
    schema: TEXT,
    description: 'A question that a person answers before the play starts; `--yes` answers it.',
    ansible: 'vars_prompt',
  },

  // The parts of a play.
  {
    name: 'pre_tasks',
    on: ['play'],
    reads: 'steps',
    schema: LIST,
    expects: 'a list of tasks',
    description: 'Tasks that run before the others; handlers they notify run right after them.',
  },
  {
    name: 'tasks',
    on: ['play'],
    reads: 'steps',
    schema: LIST,
    expects: 'a list of tasks',
    description: 'Tasks, blocks and includes, in order.',
  },
  {
    name: 'post_tasks',
    on: ['play'],
    reads: 'steps',
    schema: LIST,
    expects: 'a list of tasks',
    description: 'Tasks that run after the others and after their handlers.',
  },
  {
    name: 'handlers',
    on: ['play'],
    reads: 'handlers',
    schema: LIST,
    expects: 'a list of handlers',
    description: 'Tasks that run once, at the end of a section, for hosts that notified them.',
  },
  {
    name: 'gate',
    on: ['play'],
    reads: 'steps',
    schema: LIST,
    expects: 'a list of tasks',
    description:
      'Tasks that run once after every batch on the control machine; they see `batch.hosts`, and when one fails no further batch starts.',
  },
  {
    name: 'rollback',
    on: ['play'],
    reads: 'steps',
    schema: LIST,
    expects: 'a list of tasks',
    description:
      'Tasks that `reeve rollback` runs after it has undone the changes of the play, on the hosts that it had changed.',
  },
  {
    name: 'force_handlers',
    on: ['play'],
    reads: 'literal',
    schema: FLAG,
    description: 'Run the pending handlers of failed hosts too.',
  },

  // What is done.
  {
    name: 'block',
    on: ['block'],
    reads: 'steps',
    schema: { type: 'array', minItems: 1 },
    expects: 'a list of tasks',
    description: 'Tasks that share keywords, fail together and may be rescued, looped and retried.',
  },
  {
    name: 'rescue',
    on: ['block'],
    reads: 'steps',
    schema: LIST,
    expects: 'a list of tasks',
    description:
      'Runs when a task of the block failed or its host became unreachable; the failure then counts as mended.',
  },
  {
    name: 'always',
    on: ['block'],
    reads: 'steps',
    schema: LIST,
    expects: 'a list of tasks',
    description: 'Runs after the block, however it ended.',
  },
  {
    name: 'include',
    on: ['include'],
    reads: 'literal',
    schema: TEXT,
    expects: 'the path of a tasks file',
    description:
      'Tasks of another file, named relative to this one; its variables, condition and loop stand beside it.',
    ansible: 'include_tasks',
  },

  // Whether and how often.
  {
    name: 'when',
    on: STEPS,
    reads: 'condition',
    schema: CONDITION,
    expects: A_CONDITION,
    description: 'Runs only where this is true; of a list all must be true.',
  },
  {
    name: 'loop',
    on: STEPS,
    reads: 'loop',
    schema: { anyOf: [{ type: 'array' }, { type: 'object' }, TEXT] },
    expects: 'a list, a mapping or an expression that gives one',
    description:
      'Runs once for each item; the item is `item`, its number `index`. Of a mapping the items have `key` and `value`.',
  },
  {
    name: 'loop_control',
    on: STEPS,
    reads: 'template',
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        loop_var: { ...VARIABLE, description: 'Name of the item, instead of `item`.' },
        index_var: { ...VARIABLE, description: 'Name of the number, instead of `index`; counts from 0.' },
        label: { type: 'string', description: 'What the output shows of an item.' },
        pause: { ...DURATION, description: 'Time between two items.' },
      },
    },
    description: 'Names and output of the loop.',
  },
  {
    name: 'until',
    on: STEPS,
    reads: 'condition',
    schema: CONDITION,
    expects: A_CONDITION,
    description: 'Tried again until this is true.',
  },
  {
    name: 'retries',
    on: STEPS,
    reads: 'template',
    schema: { type: 'integer', minimum: 0 },
    description: 'Tries after the first; default 3 with `until`. Without `until` a failure is tried again.',
  },
  {
    name: 'delay',
    on: STEPS,
    reads: 'template',
    schema: DURATION,
    expects: A_DURATION,
    description: 'Time between two tries; default 5s.',
  },
  {
    name: 'backoff',
    on: STEPS,
    reads: 'literal',
    schema: { type: 'number', minimum: 1 },
    description: 'Multiplies the delay after each try.',
  },
  {
    name: 'notify',
    on: STEPS,
    reads: 'template',
    schema: STRINGS,
    expects: 'the name of a handler, or a list of names',
    description: 'Handlers to run when this changed something.',
  },
  {
    name: 'register',
    on: TASKS,
    reads: 'literal',
    schema: VARIABLE,
    expects: 'a name of letters, digits and _',
    description: 'Keeps the result of the task under this name.',
  },
  {
    name: 'changed_when',
    on: TASKS,
    reads: 'condition',
    schema: CONDITION,
    expects: A_CONDITION,
    description: 'Decides whether the task counts as changed; sees the result under its registered name.',
  },
  {
    name: 'failed_when',
    on: TASKS,
    reads: 'condition',
    schema: CONDITION,
    expects: A_CONDITION,
    description: 'Decides whether the task counts as failed; sees the result under its registered name.',
  },
  {
    name: 'listen',
    on: ['handler'],
    reads: 'literal',
    schema: STRINGS,
    expects: 'a name, or a list of names',
    description: 'Further names the handler answers to.',
  },

  // What everything inside inherits.
  {
    name: 'vars',
    on: ['playbook', ...INSIDE_PLAY],
    reads: 'vars',
    // A mapping whose entries are all commented out is null to YAML.
    schema: { type: ['object', 'null'] },
    expects: 'a mapping of variables',
    description: 'Variables; their values may hold templates and may refer to each other.',
  },
  {
    name: 'tags',
    on: INSIDE_PLAY,
    reads: 'literal',
    schema: STRINGS,
    expects: 'a tag, or a list of tags',
    description: 'Names to select tasks by (`--tags`, `--skip-tags`); `always` and `never` mean what they say.',
  },
  {
    name: 'environment',
    on: INSIDE_PLAY,
    reads: 'template',
    schema: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
    expects: 'a mapping of names and values',
    description: 'Environment variables of every command.',
  },
  {
    name: 'become',
    on: INSIDE_PLAY,
    reads: 'template',
    schema: FLAG,
    description: 'Run as another user.',
  },
  {
    name: 'become_user',
    on: INSIDE_PLAY,
    reads: 'template',
    schema: TEXT,
    description: 'The user to become; default root.',
  },
  {
    name: 'become_method',
    on: INSIDE_PLAY,
    reads: 'template',
    schema: { type: 'string', enum: ['sudo', 'su', 'doas'] },
    description: 'How to become it; default sudo.',
  },
  {
    name: 'ignore_errors',
    on: INSIDE_PLAY,
    reads: 'condition',
    schema: { anyOf: [FLAG, TEXT] },
    expects: 'true, false or an expression',
    description: 'A failure is shown and counted, and the host goes on.',
  },
  {
    name: 'no_log',
    on: INSIDE_PLAY,
    reads: 'literal',
    schema: FLAG,
    description: 'Keeps arguments, output and diffs out of output and journal.',
  },
  {
    name: 'check_mode',
    on: INSIDE_PLAY,
    reads: 'literal',
    schema: FLAG,
    description: 'true: only ever planned. false: runs in check mode too, when it only reads.',
  },
  {
    name: 'diff',
    on: INSIDE_PLAY,
    reads: 'literal',
    schema: FLAG,
    description: 'Shows or hides the diff, whatever `--diff` says.',
  },
  {
    name: 'throttle',
    on: INSIDE_PLAY,
    reads: 'literal',
    schema: { type: 'integer', minimum: 1 },
    description: 'At most so many hosts at a time.',
  },
  {
    name: 'timeout',
    on: INSIDE_PLAY,
    reads: 'literal',
    schema: DURATION,
    expects: A_DURATION,
    description: 'Time limit of each task; what it started on the host is ended then.',
  },
  {
    name: 'delegate_to',
    on: STEPS,
    reads: 'template',
    schema: TEXT,
    expects: 'the name of a host',
    description: 'Runs on that host instead, with the variables of this one.',
    ansible: 'local_action',
  },
  {
    name: 'run_once',
    on: INSIDE_PLAY,
    reads: 'literal',
    schema: FLAG,
    description: 'Runs on the first host whose `when` is true, once per play; all hosts get its result.',
  },
];

const byLevel = new Map<Level, Map<string, Keyword>>();

/** The keywords of one level, by name. */
export function keywordsOf(level: Level): Map<string, Keyword> {
  let found = byLevel.get(level);
  if (!found) {
    found = new Map(KEYWORDS.filter((keyword) => keyword.on.includes(level)).map((keyword) => [keyword.name, keyword]));
    byLevel.set(level, found);
  }
  return found;
}
