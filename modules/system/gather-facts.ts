import { defineModule } from '../../runner/module.ts';

export const gatherFacts = defineModule({
  name: 'gather-facts',
  description: 'Asks the host for its facts again.',
  args: { type: 'object', additionalProperties: false, properties: {} },
  examples: [
    { title: 'After a kernel update and a reboot', yaml: 'gather-facts: {}' },
    { title: 'After a disk was mounted', yaml: 'gather-facts:' },
  ],
  kind: 'check',
  returns: {
    type: 'object',
    properties: { facts: { type: 'object', additionalProperties: true, description: 'The same as `host.facts`.' } },
  },
  notes:
    'Facts are gathered by themselves when something first asks for `host.facts`; this module is only for tasks after ' +
    'which they may have changed.',
  async plan(_args, target) {
    const facts = await target.facts({ refresh: true });
    return {
      changes: [],
      facts: { facts },
      message: `${facts.os.name || facts.kernel} on ${facts.architecture}, ${facts.cpus} CPUs, ${facts.memory_mb} MB`,
    };
  },
});
