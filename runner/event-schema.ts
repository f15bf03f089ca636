import { EVENT_VERSION, type EventBody, type TaskStatus } from './events.ts';
import type { JsonSchema } from './schema-types.ts';

/** The members of one event; the compiler sees to it that none is forgotten and that optional ones are marked. */
type Members<E> = {
  [K in keyof Required<Omit<E, 'type'>>]: K extends keyof E
    ? object extends Pick<E, K>
      ? { optional: JsonSchema }
      : JsonSchema
    : never;
};
type EventTable = {
  [T in EventBody['type']]: { description: string; members: Members<Extract<EventBody, { type: T }>> };
};

const TEXT: JsonSchema = { type: 'string' };
const COUNT: JsonSchema = { type: 'integer', minimum: 0 };
const FLAG: JsonSchema = { type: 'boolean' };
const UNDO = { optional: { description: 'What the module needs to take it back.' } };
const NAMES: JsonSchema = { type: 'array', items: TEXT };
const MILLISECONDS: JsonSchema = { type: 'number', minimum: 0, description: 'Milliseconds.' };
const VALUES: JsonSchema = { type: 'object', additionalProperties: true };
const PLACE: JsonSchema = {
  type: 'object',
  description: 'Where it stands in a file; lines and columns count from 1.',
  required: ['file', 'line', 'column'],
  properties: { file: TEXT, line: COUNT, column: COUNT, endColumn: COUNT },
};
const STATUSES = {
  ok: true,
  changed: true,
  skipped: true,
  unknown: true,
  failed: true,
  unreachable: true,
} satisfies Record<TaskStatus, true>;
const STATUS: JsonSchema = {
  type: 'string',
  enum: Object.keys(STATUSES),
  description: 'unknown: in check mode, it depends on a change not yet applied.',
};
const CHANGES: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['summary'],
    properties: {
      summary: { type: 'string', description: 'One line that says what differs.' },
      before: { description: 'State before; absent when sensitive.' },
      after: { description: 'State after; absent when sensitive.' },
      path: { type: 'string', description: 'The file whose text before and after are.' },
      sensitive: { type: 'boolean', description: 'It holds a secret.' },
    },
  },
};
const TASK: JsonSchema = {
  type: 'object',
  required: ['id', 'name', 'module', 'section'],
  properties: {
    id: { type: 'string', description: 'Path of the task in the playbook: `plays[0].tasks[3]`.' },
    name: TEXT,
    module: TEXT,
    kind: { type: 'string', enum: ['state', 'action', 'check'], description: 'Of its module.' },
    section: { type: 'string', description: 'tasks, handlers, gate, …' },
    place: PLACE,
  },
};
const ERROR: JsonSchema = {
  type: 'object',
  required: ['code', 'message'],
  properties: { code: TEXT, message: TEXT, place: PLACE, hint: TEXT },
};
const RECAP: JsonSchema = {
  type: 'object',
  description: 'Tasks of each host by how they ended.',
  additionalProperties: { type: 'object', additionalProperties: COUNT },
};

const TIME: JsonSchema = { type: 'string', format: 'date-time' };
const ASKED_SERVER = {
  cluster: { type: 'string', description: 'Names of all ways to this cluster; it is away when none of them answers.' },
  server: { type: 'string', description: 'Address of the API server.' },
  via: { type: 'string', description: 'The host that the question went through, or kubeconfig.' },
} satisfies Record<string, JsonSchema>;

/** Every event that a run writes, with its members. */
const EVENTS: EventTable = {
  'run-started': {
    description: 'A run began.',
    members: {
      playbook: TEXT,
      name: TEXT,
      inventory: NAMES,
      check: FLAG,
      diff: FLAG,
      reeve: { type: 'string', description: 'Version of reeve.' },
      inputs: VALUES,
      description: { optional: { type: 'string', description: 'What the playbook says that it does.' } },
    },
  },
  'play-started': {
    description: 'A play began.',
    members: { play: COUNT, name: TEXT, hosts: NAMES, batches: COUNT },
  },
  'batch-started': {
    description: 'A batch of hosts began.',
    members: { play: COUNT, batch: COUNT, of: COUNT, hosts: NAMES },
  },
  'task-started': {
    description: 'A task began on a host.',
    members: { play: COUNT, batch: COUNT, host: TEXT, task: TASK, delegate: { optional: TEXT } },
  },
  'effect-started': {
    description: 'The first write of a task is about to be made; from here on the host may be changed.',
    members: {
      host: TEXT,
      task: TEXT,
      item: { optional: TEXT },
      changes: CHANGES,
      delegate: { optional: TEXT },
      undo: UNDO,
    },
  },
  'effect-ended': {
    description: 'The writes of a task ended.',
    members: {
      host: TEXT,
      task: TEXT,
      item: { optional: TEXT },
      ok: FLAG,
      undo: UNDO,
      result: { optional: VALUES },
    },
  },
  'task-progress': {
    description: 'One line of progress of a running task.',
    members: { host: TEXT, task: TEXT, message: TEXT },
  },
  'task-output': {
    description: 'Live output of a running command.',
    members: { host: TEXT, task: TEXT, stream: { type: 'string', enum: ['stdout', 'stderr'] }, text: TEXT },
  },
  'item-ended': {
    description: 'One item of a loop ended.',
    members: {
      host: TEXT,
      task: TEXT,
      item: TEXT,
      index: { optional: { ...COUNT, description: 'Its number in the loop, from 0.' } },
      status: STATUS,
      message: { optional: TEXT },
      changes: { optional: CHANGES },
      args: { optional: VALUES },
      result: { optional: VALUES },
    },
  },
  'host-rescued': {
    description: 'The rescue of a block has saved a host from a failure.',
    members: { host: TEXT, block: TEXT },
  },
  'block-failed': {
    description: 'A block with a rescue or an always has failed on a host for good; its always follows.',
    members: { host: TEXT, block: TEXT },
  },
  'lock-taken': {
    description: 'A process of the run holds a lock from here on.',
    members: { lock: { type: 'string', description: 'As people write it: NAME or NAME@HOST.' } },
  },
  'lock-released': {
    description: 'The run does not hold a lock any more.',
    members: { lock: TEXT },
  },
  'rollback-started': {
    description: 'The changes of the run are taken back.',
    members: { steps: COUNT, keeps: { optional: COUNT } },
  },
  'undo-started': {
    description: 'One change goes back.',
    members: { effect: COUNT, host: TEXT, task: TASK, changes: CHANGES },
  },
  'undo-ended': {
    description: 'One change has gone back, or could not.',
    members: { effect: COUNT, host: TEXT, task: TASK, ok: FLAG, message: { optional: TEXT } },
  },
  'rollback-ended': {
    description: 'The rollback has ended.',
    members: { ok: FLAG, message: { optional: TEXT }, hint: { optional: TEXT } },
  },
  'run-resumed': {
    description: 'A run that had ended or died goes on.',
    members: {
      reeve: TEXT,
      acceptedChanges: { optional: FLAG },
      outline: { optional: VALUES },
      past: { optional: { type: 'array', items: COUNT } },
      renamed: { optional: VALUES },
      given: {
        optional: {
          type: 'object',
          description: 'What it goes on with from here on, when other values were given than before.',
          required: ['inputs', 'secretInputs', 'extraVars'],
          properties: { inputs: VALUES, secretInputs: NAMES, extraVars: VALUES },
        },
      },
      approved: { optional: TEXT },
    },
  },
  'task-retry': {
    description: 'A try failed, and another one follows.',
    members: { host: TEXT, task: TEXT, attempt: COUNT, of: COUNT, delay: MILLISECONDS, message: TEXT },
  },
  'task-ended': {
    description: 'A task ended on a host.',
    members: {
      play: COUNT,
      batch: COUNT,
      host: TEXT,
      task: TASK,
      status: STATUS,
      duration: MILLISECONDS,
      message: { optional: TEXT },
      changes: CHANGES,
      args: { optional: VALUES },
      result: { optional: VALUES },
      ignored: { optional: FLAG },
      rescued: { optional: FLAG },
      diff: { optional: FLAG },
      warnings: { optional: NAMES },
      error: { optional: ERROR },
    },
  },
  'handler-notified': {
    description: 'A changed task asked for a handler.',
    members: { host: TEXT, handler: TEXT, by: TEXT },
  },
  'handlers-pending': {
    description: 'Handlers of a failed host that did not run.',
    members: { host: TEXT, handlers: NAMES },
  },
  'node-state': {
    description: 'What a node of the cluster is left in; empty when it is as it should be.',
    members: {
      node: TEXT,
      state: TEXT,
      aspects: {
        optional: { type: 'object', additionalProperties: TEXT, description: 'The same by what it is about.' },
      },
    },
  },
  'api-watched': {
    description: 'From here to the end of the run an API server is asked whether it answers.',
    members: {
      ...ASKED_SERVER,
      interval: { ...MILLISECONDS, description: 'Milliseconds from one question to the next.' },
    },
  },
  'api-unavailable': {
    description: 'An API server does not answer any more; `from`: the first question without an answer.',
    members: { ...ASKED_SERVER, from: TIME, detail: TEXT },
  },
  'api-available': {
    description: 'An API server answers again; `until`: the first question with an answer.',
    members: { ...ASKED_SERVER, from: TIME, until: TIME, duration: MILLISECONDS },
  },
  notice: {
    description: 'Something a person should know.',
    members: {
      level: { type: 'string', enum: ['info', 'warning', 'error'] },
      message: TEXT,
      host: { optional: TEXT },
      place: { optional: PLACE },
      hint: { optional: TEXT },
    },
  },
  note: {
    description: 'A note of a person, or of the playbook; it may come after the end of the run.',
    members: { text: TEXT, by: { optional: TEXT } },
  },
  'batch-ended': {
    description: 'A batch ended.',
    members: { play: COUNT, batch: COUNT, failed: NAMES },
  },
  'play-ended': {
    description: 'A play ended.',
    members: {
      play: COUNT,
      failed: NAMES,
      skippedBatches: { ...COUNT, description: 'Batches not started because of failures before them.' },
    },
  },
  'run-ended': {
    description: 'The run ended.',
    members: {
      exitCode: { type: 'integer' },
      outcome: { type: 'string', enum: ['done', 'failed', 'unreachable', 'refused', 'interrupted', 'error'] },
      message: { optional: TEXT },
      hint: { optional: TEXT },
      place: { optional: PLACE },
      duration: MILLISECONDS,
      recap: RECAP,
      nodes: { type: 'object', additionalProperties: TEXT, description: 'Nodes not as they should be, and how.' },
    },
  },
};

const ENVELOPE: Record<string, JsonSchema> = {
  v: { const: EVENT_VERSION, description: 'Version of this schema.' },
  seq: { type: 'integer', minimum: 1, description: 'Counts from 1 within the run, without gaps.' },
  at: { type: 'string', format: 'date-time', description: 'UTC, with milliseconds.' },
  run: { type: 'string', description: 'Id of the run.' },
};

/** One line of the journal and of `--output json`. Readers must expect further members. */
export function eventSchema(): JsonSchema {
  return {
    description: 'One event of a run: a line of its journal and of `--output json`.',
    oneOf: Object.entries(EVENTS).map(([type, { description, members }]) => oneEvent(type, description, members)),
  };
}

function oneEvent(type: string, description: string, members: Record<string, JsonSchema | { optional: JsonSchema }>) {
  const entries = Object.entries(members).map(([name, member]) => {
    const isOptional = 'optional' in member;
    return { name, isOptional, schema: isOptional ? member.optional : member };
  });
  const required = entries.filter(({ isOptional }) => !isOptional).map(({ name }) => name);
  return {
    type: 'object',
    description,
    required: ['type', ...Object.keys(ENVELOPE), ...required],
    properties: {
      type: { const: type },
      ...ENVELOPE,
      ...Object.fromEntries(entries.map(({ name, schema }) => [name, schema])),
    },
  } satisfies JsonSchema;
}
