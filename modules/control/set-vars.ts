import { defineModule } from '../../runner/module.ts';

/** What templates and expressions can name without quoting. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const setVars = defineModule({
  name: 'set-vars',
  description: 'Sets variables of the host for the rest of the run.',
  args: {
    type: 'object',
    additionalProperties: { description: 'The value; templates in it are rendered now, once.' },
    properties: {},
  },
  setsVariables: true,
  examples: [
    { title: 'Remember a value', yaml: 'set-vars: { upgrade_started: "{{ run.started }}" }' },
    { title: 'Several of any type', yaml: 'set-vars:\n  drain_grace: 30\n  labels: { tier: edge }' },
  ],
  kind: 'check',
  on: 'control',
  returns: {
    type: 'object',
    properties: {},
    additionalProperties: { description: 'The variables as they were set.' },
  },
  notes:
    'The variables rank above those of the inventory and the play, and below `-e`. Other hosts read them as ' +
    '`hosts["name"].variable`.',
  check(args) {
    const names = Object.keys(args);
    if (names.length === 0) return 'set-vars needs at least one variable';
    const bad = names.find((name) => !NAME.test(name));
    return bad === undefined ? undefined : `\`${bad}\` cannot be a variable's name: use letters, digits and _`;
  },
  async plan(args) {
    return { changes: [], facts: args };
  },
});
