import { eventSchema } from '../event-schema.ts';
import { INPUT_SCHEMA } from '../playbook/inputs.ts';
import { type Keyword, keywordsOf, type Level } from '../playbook/keywords.ts';
import type { Registry } from '../playbook/registry.ts';
import type { JsonSchema } from '../schema-types.ts';
import { INVENTORY_SCHEMA } from './inventory-schema.ts';
import { authoringSchema, withInnerTemplates } from './schema/authoring.ts';

/** JSON Schema with what editors need and modules do not. */
export interface EditorSchema extends Omit<JsonSchema, 'properties' | 'items' | 'anyOf' | 'oneOf'> {
  $schema?: string;
  $ref?: string;
  $defs?: Record<string, EditorSchema>;
  title?: string;
  properties?: Readonly<Record<string, EditorSchema>>;
  items?: EditorSchema;
  anyOf?: readonly EditorSchema[];
  oneOf?: readonly EditorSchema[];
  minProperties?: number;
}

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** The schema files for editors, by name. The keyword table and the modules are all that they are made from. */
export function buildSchemas(registry: Registry): Record<string, EditorSchema> {
  const $defs = definitions(registry);
  return {
    'playbook.schema.json': {
      $schema: DRAFT,
      title: 'reeve playbook',
      ...mappingOf('playbook'),
      required: ['plays'],
      $defs: { ...$defs, play: { ...mappingOf('play'), required: ['hosts'] }, input: INPUT_SCHEMA as EditorSchema },
    },
    'tasks.schema.json': {
      $schema: DRAFT,
      title: 'reeve tasks file',
      type: 'array',
      items: { $ref: '#/$defs/step' },
      $defs,
    },
    'inventory.schema.json': { $schema: DRAFT, title: 'reeve inventory', ...INVENTORY_SCHEMA },
    'event.schema.json': { $schema: DRAFT, title: 'reeve event', ...(eventSchema() as EditorSchema) },
  };
}

function definitions(registry: Registry): Record<string, EditorSchema> {
  return {
    step: { anyOf: [{ $ref: '#/$defs/task' }, { $ref: '#/$defs/block' }, { $ref: '#/$defs/include' }] },
    task: taskSchema('task', registry),
    handler: taskSchema('handler', registry),
    handlerInclude: {
      type: 'object',
      additionalProperties: false,
      required: ['include'],
      properties: { include: keywordSchema(keywordsOf('include').get('include')!), name: { type: 'string' } },
    },
    block: { ...mappingOf('block'), required: ['block'] },
    include: { ...mappingOf('include'), required: ['include'] },
  };
}

function mappingOf(level: Level): EditorSchema {
  const properties = [...keywordsOf(level).values()].map((keyword) => [keyword.name, keywordSchema(keyword)]);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) };
}

/** A task: its keywords, and exactly one module. */
function taskSchema(level: 'task' | 'handler', registry: Registry): EditorSchema {
  const keywords = mappingOf(level);
  const modules = [...registry.values()].map((module) => [module.name, moduleSchema(module)]);
  return {
    ...keywords,
    properties: { ...keywords.properties, ...Object.fromEntries(modules) },
    ...(level === 'handler' ? { required: ['name'] } : {}),
    ...(registry.size > 0 ? { oneOf: [...registry.keys()].map((name) => ({ required: [name] })) } : {}),
  };
}

function moduleSchema(module: { description: string; args: JsonSchema; shorthand?: string | undefined }): EditorSchema {
  const args = withInnerTemplates(module.args);
  const forms: JsonSchema[] = [args];
  if (module.shorthand !== undefined) forms.push(authoringSchema(module.args.properties![module.shorthand]!));
  if ((module.args.required ?? []).length === 0) forms.push({ type: 'null' });
  const { description } = module;
  return (forms.length === 1 ? { ...args, description } : { description, anyOf: forms }) as EditorSchema;
}

const REFERENCES: Partial<Record<Keyword['reads'], EditorSchema>> = {
  steps: { items: { $ref: '#/$defs/step' } },
  handlers: { items: { anyOf: [{ $ref: '#/$defs/handler' }, { $ref: '#/$defs/handlerInclude' }] } },
  plays: { items: { $ref: '#/$defs/play' } },
};

function keywordSchema(keyword: Keyword): EditorSchema {
  const written = (keyword.reads === 'template' ? authoringSchema(keyword.schema) : keyword.schema) as EditorSchema;
  const inputs: EditorSchema = { additionalProperties: { $ref: '#/$defs/input' } as JsonSchema };
  return {
    ...written,
    ...REFERENCES[keyword.reads],
    ...(keyword.reads === 'inputs' ? inputs : {}),
    description: keyword.description,
  };
}
