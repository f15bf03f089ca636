/** The part of JSON Schema that modules, keywords and inputs are written in, and the TypeScript types it stands for. */
export interface JsonSchema {
  type?: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null' | readonly string[];
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  const?: unknown;
  pattern?: string;
  format?: string;
  minLength?: number;
  minimum?: number;
  maximum?: number;
  items?: JsonSchema;
  minItems?: number;
  properties?: { readonly [name: string]: JsonSchema };
  required?: readonly string[];
  additionalProperties?: boolean | JsonSchema;
  oneOf?: readonly JsonSchema[];
  anyOf?: readonly JsonSchema[];
  writeOnly?: boolean;
  deprecated?: boolean;
}

export interface ObjectSchema extends JsonSchema {
  type: 'object';
  properties: { readonly [name: string]: JsonSchema };
}

type Simplify<T> = { [K in keyof T]: T[K] } & {};

type RequiredKeys<S extends ObjectSchema> = {
  [K in keyof S['properties']]: K extends (S['required'] extends readonly (infer R)[] ? R : never)
    ? K
    : S['properties'][K] extends { default: unknown }
      ? K
      : never;
}[keyof S['properties']];

type ValueOf<S> = S extends { enum: readonly (infer E)[] }
  ? E
  : S extends { type: 'string' }
    ? string
    : S extends { type: 'number' | 'integer' }
      ? number
      : S extends { type: 'boolean' }
        ? boolean
        : S extends { type: 'array'; items: infer I }
          ? ValueOf<I>[]
          : S extends ObjectSchema
            ? ArgsOf<S>
            : S extends { type: 'object'; additionalProperties: infer V }
              ? V extends boolean
                ? Record<string, unknown>
                : Record<string, ValueOf<V>>
              : S extends { type: 'object' }
                ? Record<string, unknown>
                : unknown;

/** The arguments a schema describes, after defaults are filled in: required and defaulted ones are always there. */
export type ArgsOf<S extends ObjectSchema> = Simplify<
  { [K in RequiredKeys<S>]: ValueOf<S['properties'][K]> } & {
    [K in Exclude<keyof S['properties'], RequiredKeys<S>>]?: ValueOf<S['properties'][K]>;
  }
>;
