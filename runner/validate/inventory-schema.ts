import type { EditorSchema } from './schemas.ts';

const NAME_MAPPING = 'Names and values; values may hold templates.';

/** An inventory in reeve's own dialect: Ansible's shape, with `reeve: 1` at the top. */
export const INVENTORY_SCHEMA: EditorSchema = {
  type: 'object',
  required: ['reeve'],
  properties: {
    reeve: { const: 1, description: 'Says that this file is in reeve’s dialect: YAML 1.2, Handlebars templates.' },
    all: { $ref: '#/$defs/group', description: 'The group of all hosts.' },
  },
  additionalProperties: { $ref: '#/$defs/group' } as object,
  $defs: {
    group: {
      type: ['object', 'null'],
      additionalProperties: false,
      description: 'A group of hosts.',
      properties: {
        hosts: {
          type: ['object', 'null'],
          description: 'Hosts by name, each with its variables; `k3s-[1:3]` stands for three hosts.',
          additionalProperties: { type: ['object', 'null'], description: 'Variables of the host.' },
        },
        children: {
          type: ['object', 'null'],
          description: 'Groups whose hosts belong to this one too, by name.',
          additionalProperties: { $ref: '#/$defs/group' } as object,
        },
        vars: { type: ['object', 'null'], description: `Variables of all hosts of the group. ${NAME_MAPPING}` },
      },
    },
  },
};
