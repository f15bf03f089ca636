import { defineModule, type Evaluated, TaskFailure } from '../../runner/module.ts';

const written = { anyOf: [{ type: 'string' }, { type: 'boolean' }] } as const;

export const assert = defineModule({
  name: 'assert',
  description: 'Fails the host unless every expression is true.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['that'],
    properties: {
      that: {
        description: 'A CEL expression or a list of them; all must be true.',
        anyOf: [...written.anyOf, { type: 'array', items: written, minItems: 1 }],
      },
      fail_msg: { type: 'string', description: 'Printed when one of them is false, above the expressions.' },
      success_msg: { type: 'string', description: 'Printed when all are true.' },
      quiet: { type: 'boolean', default: false, description: 'Print nothing when all are true.' },
    },
  },
  shorthand: 'that',
  expressions: ['that'],
  examples: [
    {
      title: 'One condition',
      yaml: 'assert: { that: "host.facts.memory_mb >= 512", fail_msg: "k3s needs 512 MB of memory" }',
    },
    {
      title: 'Several conditions',
      yaml: 'assert:\n  that:\n    - size(groups.servers) % 2 == 1\n    - "!(host.name in groups.agents)"\n  quiet: true',
    },
  ],
  kind: 'check',
  on: 'control',
  returns: {
    type: 'object',
    properties: {
      failures: { type: 'array', items: { type: 'string' }, description: 'The expressions that are false.' },
    },
  },
  notes:
    'One expression that is false fails the task, also in check mode and also when another one is still unknown. ' +
    'When none is false but some are unknown, the task is reported as unknown.',
  async plan(args) {
    const all = args.that as Evaluated[];
    const failures = all.filter((one) => one.value === false);
    if (failures.length > 0) {
      const lines = failures.map(describeFailure);
      throw new TaskFailure([args.fail_msg, ...lines].filter(Boolean).join('\n'), {
        code: 'assertion-failed',
        facts: { failures: failures.map((one) => one.expression) },
      });
    }
    const facts = { failures: [] };
    const unknown = all.filter((one) => one.value === 'unknown').map((one) => `\`${one.expression}\``);
    if (unknown.length > 0) return { changes: [], facts, unknown: `not known yet: ${unknown.join(', ')}` };
    if (args.quiet) return { changes: [], facts };
    return { changes: [], facts, message: args.success_msg ?? 'all assertions hold' };
  },
});

/** `` not true: `a == b` (a = 1, b = 2) `` */
function describeFailure({ expression, names }: Evaluated): string {
  const seen = Object.entries(names ?? {}).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `not true: \`${expression}\`${seen.length > 0 ? ` (${seen.join(', ')})` : ''}`;
}
