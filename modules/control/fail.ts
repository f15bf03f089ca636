import { defineModule, TaskFailure } from '../../runner/module.ts';

export const fail = defineModule({
  name: 'fail',
  description: 'Fails the host with a message; of use with `when` and in a `rescue`.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      msg: { type: 'string', default: 'Failed as the playbook asked', description: 'What went wrong.' },
      hint: { type: 'string', description: 'What the reader should do next.' },
    },
  },
  shorthand: 'msg',
  examples: [
    { title: 'Stop with a reason', yaml: 'fail: "{{ host.name }} is not in maintenance"' },
    {
      title: 'Stop with a reason and a way out',
      yaml: 'fail: { msg: "The disk is full", hint: "k3s crictl rmi --prune frees images that no pod uses" }',
    },
  ],
  kind: 'check',
  on: 'control',
  returns: { type: 'object', properties: {} },
  async plan(args) {
    throw new TaskFailure(args.msg, { code: 'failed-by-playbook', ...(args.hint ? { hint: args.hint } : {}) });
  },
});
