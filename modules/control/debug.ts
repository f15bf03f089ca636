import { defineModule } from '../../runner/module.ts';

export const debug = defineModule({
  name: 'debug',
  description: 'Prints a message or a value.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      msg: { type: 'string', description: 'Text to print; may hold templates.' },
      value: { description: 'Any value, printed as JSON: `value: "{{ hosts }}"`.' },
    },
  },
  shorthand: 'msg',
  examples: [
    { title: 'Print a line', yaml: 'debug: "Upgrading {{ host.name }}"' },
    { title: 'Show a registered result', yaml: 'debug: { value: "{{ host }}" }' },
  ],
  kind: 'check',
  on: 'control',
  returns: {
    type: 'object',
    properties: { value: { description: 'The value given, with its type kept.' } },
  },
  check(args) {
    if (args.msg === undefined && args.value === undefined) return 'debug needs `msg` or `value`';
    return undefined;
  },
  async plan(args) {
    const parts: string[] = [];
    if (args.msg !== undefined) parts.push(args.msg);
    if (args.value !== undefined) {
      parts.push(typeof args.value === 'string' ? args.value : JSON.stringify(args.value, null, 2));
    }
    return { changes: [], message: parts.join('\n'), facts: args.value === undefined ? {} : { value: args.value } };
  },
});
