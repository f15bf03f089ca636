import { type AnyModule, defineModule } from '../../../runner/module.ts';
import type { Registry } from '../../../runner/playbook/registry.ts';

const returns = { type: 'object', properties: { version: { type: 'string' }, exists: { type: 'boolean' } } } as const;
const plan = async () => ({ changes: [] });

/** A few modules with arguments of every kind, for tests of loading and validating. */
export const testRegistry: Registry = new Map<string, AnyModule>(
  [
    defineModule({
      name: 'service',
      description: 'Keeps a service in the wanted state.',
      kind: 'state',
      examples: [],
      returns,
      plan,
      args: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', description: 'Unit name.' },
          state: { type: 'string', enum: ['started', 'stopped'], default: 'started', description: 'Run state.' },
          enabled: { type: 'boolean', description: 'Start at boot.' },
        },
      },
    }),
    defineModule({
      name: 'command',
      description: 'Runs a command.',
      kind: 'action',
      examples: [],
      returns,
      plan,
      shorthand: 'cmd',
      args: {
        type: 'object',
        additionalProperties: false,
        required: ['cmd'],
        properties: {
          cmd: { type: 'string', description: 'The command.' },
          chdir: { type: 'string', description: 'Where it runs.' },
          reads: { type: 'boolean', default: false, description: 'It only reads.' },
        },
      },
    }),
    defineModule({
      name: 'copy',
      description: 'Copies a file.',
      kind: 'state',
      examples: [],
      returns,
      plan,
      check: (args) =>
        args.src !== undefined && args.content !== undefined ? 'give `src` or `content`, not both' : undefined,
      args: {
        type: 'object',
        additionalProperties: false,
        required: ['dest'],
        properties: {
          src: { type: 'string', description: 'Source.' },
          content: { type: 'string', description: 'Content.' },
          dest: { type: 'string', description: 'Destination.' },
          mode: { type: 'string', pattern: '^[0-7]{3,4}$', description: 'Octal mode.' },
          retries: { type: 'integer', minimum: 0, description: 'Tries.' },
          hosts: { type: 'array', items: { type: 'string' }, description: 'Names.' },
        },
      },
    }),
    defineModule({
      name: 'template',
      description: 'Renders a file.',
      kind: 'state',
      examples: [],
      returns,
      plan,
      templateSources: ['src'],
      args: {
        type: 'object',
        additionalProperties: false,
        required: ['src', 'dest'],
        properties: {
          src: { type: 'string', description: 'Template.' },
          dest: { type: 'string', description: 'Destination.' },
        },
      },
    }),
    defineModule({
      name: 'wait-for',
      description: 'Waits.',
      kind: 'check',
      examples: [],
      returns,
      plan,
      args: {
        type: 'object',
        additionalProperties: false,
        properties: {
          port: { type: 'integer', minimum: 1, maximum: 65535, description: 'Port.' },
          timeout: {
            anyOf: [
              { type: 'number', minimum: 0 },
              { type: 'string', pattern: '^\\d+(s|m)$' },
            ],
            description: 'Limit.',
          },
        },
      },
    }),
    defineModule({
      name: 'set-vars',
      setsVariables: true,
      description: 'Sets variables.',
      kind: 'state',
      examples: [],
      returns: { type: 'object', properties: {} },
      plan,
      args: { type: 'object', additionalProperties: true, properties: {} },
    }),
    defineModule({
      name: 'assert',
      description: 'Fails unless all is true.',
      kind: 'check',
      examples: [],
      returns: { type: 'object', properties: {} },
      plan,
      shorthand: 'that',
      expressions: ['that'],
      args: {
        type: 'object',
        additionalProperties: false,
        required: ['that'],
        properties: {
          that: { description: 'CEL.', anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
          fail_msg: { type: 'string', description: 'Printed on failure.' },
        },
      },
    }),
    defineModule({
      name: 'debug',
      description: 'Shows a text.',
      kind: 'check',
      examples: [],
      returns: { type: 'object', properties: {} },
      plan,
      shorthand: 'msg',
      args: { type: 'object', additionalProperties: false, properties: { msg: { description: 'Anything.' } } },
    }),
  ].map((module) => [module.name, module]),
);
