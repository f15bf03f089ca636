import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { modules } from '../../../modules/index.ts';
import type { RunEvent } from '../../../runner/events.ts';
import { parseDocument } from '../../../runner/load/parse.ts';
import { keywordsOf } from '../../../runner/playbook/keywords.ts';
import { parsePlaybook } from '../../../runner/playbook/parse.ts';
import { buildSchemas } from '../../../runner/validate/schemas.ts';
import { validatePlaybook } from '../../../runner/validate/validate-playbook.ts';
import { testRegistry } from '../playbook/registry.ts';

const schemas = buildSchemas(testRegistry);

function compile(name: string): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, strict: false });
  (formats as unknown as (ajv: Ajv) => void)(ajv);
  return ajv.compile(schemas[name]!);
}

const GOOD = [
  'plays: [{ hosts: all }]',
  'name: x\ndescription: y\nlock: z\ninputs: { a: { type: string, secret: true } }\nvars: { a: [1] }\nplays: [{ hosts: [a, b] }]',
  'plays:\n  - { hosts: all, serial: [1, 25%], become: "{{ x }}", environment: { A: "{{ b }}" }, timeout: 5m, order: sorted }',
  'plays:\n  - hosts: all\n    tasks:\n      - command: uptime\n        when: [a == 1, true]\n        loop: { a: 1 }\n        retries: "{{ n }}"\n      - wait-for:\n      - copy: { dest: x, retries: "{{ n }}", hosts: "{{ n }}" }\n        register: r',
  'plays:\n  - hosts: all\n    tasks:\n      - block: [{ debug: x }]\n        rescue: [{ include: a.yaml, vars: { x: 1 } }]\n    handlers: [{ name: h, debug: x, listen: y }, { include: h.yaml }]\n    gate: [{ debug: x }]',
];
const BAD = [
  '[]',
  'plays: []',
  'plays: [{ tasks: [] }]',
  'plays: [{ hosts: all, taks: [] }]',
  'plays: [{ hosts: all, serial: many }]',
  'plays: [{ hosts: all, tasks: [{ name: x }] }]',
  'plays: [{ hosts: all, tasks: [{ debug: x, command: y }] }]',
  'plays: [{ hosts: all, tasks: [{ service: {} }] }]',
  'plays: [{ hosts: all, tasks: [{ service: { name: x, state: startd } }] }]',
  'plays: [{ hosts: all, tasks: [{ nope: x }] }]',
  'plays: [{ hosts: all, tasks: [{ debug: x, listen: y }] }]',
  'plays: [{ hosts: all, tasks: [{ block: [] }] }]',
  'plays: [{ hosts: all, handlers: [{ debug: x }] }]',
  'plays: [{ hosts: all }]\ninputs: { a: { tpye: string } }',
];

/** What reeve itself says: no error in form or arguments. */
function accepted(text: string): boolean {
  const { playbook, diagnostics } = parsePlaybook(parseDocument(text, 'p.yaml'), testRegistry);
  const form = diagnostics.filter(({ code }) => code !== 'file-not-found');
  const found = playbook ? validatePlaybook(playbook, undefined, testRegistry) : [];
  const relevant = found.filter(({ code, severity }) => severity === 'error' && /argument|wrong-/.test(code));
  return form.length === 0 && relevant.length === 0;
}

describe('playbook.schema.json', () => {
  const validate = compile('playbook.schema.json');

  it.each(GOOD)('accepts what reeve accepts: %s', (text) => {
    expect(validate(parseDocument(text, 'f').value), JSON.stringify(validate.errors)).toBe(true);
    expect(accepted(text)).toBe(true);
  });

  it.each(BAD)('rejects what reeve rejects: %s', (text) => {
    expect(validate(parseDocument(text, 'f').value)).toBe(false);
    expect(accepted(text)).toBe(false);
  });

  it('describes every keyword and every argument', () => {
    const defs = schemas['playbook.schema.json']!.$defs!;
    for (const level of ['play', 'task', 'handler', 'block', 'include'] as const) {
      for (const name of keywordsOf(level).keys())
        expect(defs[level]?.properties?.[name]?.description, name).toBeTruthy();
    }
    const service = defs.task?.properties?.service;
    expect(service?.description).toBe('Keeps a service in the wanted state.');
    expect(service?.properties?.state).toMatchObject({ description: 'Run state.', default: 'started' });
  });
});

describe('tasks.schema.json', () => {
  const validate = compile('tasks.schema.json');

  it('is for a list of tasks, blocks and includes', () => {
    expect(validate([{ debug: 'x' }, { block: [{ debug: 'x' }] }, { include: 'a.yaml' }])).toBe(true);
    expect(validate([{ nope: 'x' }])).toBe(false);
    expect(validate({ debug: 'x' })).toBe(false);
  });
});

describe('inventory.schema.json', () => {
  const validate = compile('inventory.schema.json');

  it('is for an inventory in reeve’s dialect', () => {
    const group = {
      hosts: { a: { ip: '1' }, b: null },
      vars: { x: 1 },
      children: { c: null, d: { hosts: { e: {} } } },
    };
    expect(validate({ reeve: 1, all: group, servers: group }), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ all: group })).toBe(false);
    expect(validate({ reeve: 1, all: { host: {} } })).toBe(false);
  });
});

describe('event.schema.json', () => {
  const validate = compile('event.schema.json');
  const envelope = { v: 1, seq: 1, at: '2026-01-02T03:04:05.678Z', run: 'r' } as const;
  const events: RunEvent[] = [
    { ...envelope, type: 'batch-started', play: 0, batch: 0, of: 2, hosts: ['a'] },
    { ...envelope, type: 'notice', level: 'warning', message: 'x', place: { file: 'f', line: 1, column: 1 } },
    {
      ...envelope,
      type: 'task-ended',
      play: 0,
      batch: 0,
      host: 'a',
      task: { id: 'plays[0].tasks[0]', name: 'x', module: 'debug', section: 'tasks' },
      status: 'changed',
      duration: 1.5,
      changes: [{ summary: 'x', before: 'a', after: { b: 1 } }],
      result: { changed: true },
    },
  ];

  it.each(events)('accepts $type', (event) => {
    expect(validate(event), JSON.stringify(validate.errors)).toBe(true);
  });

  it('rejects events without a member, of an unknown type, and with a wrong one', () => {
    const { host: _, ...incomplete } = events[2] as unknown as Record<string, unknown>;
    expect(validate(incomplete)).toBe(false);
    expect(validate({ ...events[0], type: 'batch-begun' })).toBe(false);
    expect(validate({ ...events[2], status: 'fine' })).toBe(false);
  });
});

describe('the examples of every module', () => {
  const all = [...modules.values()].flatMap((module) => module.examples.map((example) => ({ module, example })));
  const own = buildSchemas(modules)['tasks.schema.json']!;
  const ajv = new Ajv({ allErrors: true, strict: false });
  (formats as unknown as (ajv: Ajv) => void)(ajv);
  const validate = ajv.compile(own);

  it.each(all.map(({ module, example }) => [module.name, example.title, example.yaml] as const))(
    '%s: %s',
    (_module, _title, yaml) => {
      const { value } = parseDocument(yaml, 'example');
      expect(validate([value]), JSON.stringify(validate.errors)).toBe(true);
      const text = JSON.stringify({ plays: [{ hosts: 'all', tasks: [value] }] });
      const { playbook, diagnostics } = parsePlaybook(parseDocument(text, 'example'), modules);
      expect(diagnostics).toEqual([]);
      const found = validatePlaybook(playbook!, undefined, modules);
      expect(found.filter(({ code }) => /argument|wrong-/.test(code))).toEqual([]);
    },
  );
});
