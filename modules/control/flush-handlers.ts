import { defineModule } from '../../runner/module.ts';

export const flushHandlers = defineModule({
  name: 'flush-handlers',
  description: 'Runs the handlers that are waiting now, instead of at the end of the section.',
  args: { type: 'object', additionalProperties: false, properties: {} },
  flushesHandlers: true,
  examples: [
    { title: 'Restart what has changed before it is tested', yaml: 'flush-handlers: {}' },
    { title: 'Without arguments', yaml: 'flush-handlers:' },
  ],
  kind: 'check',
  on: 'control',
  returns: { type: 'object', properties: {} },
  async plan() {
    return { changes: [] };
  },
});
