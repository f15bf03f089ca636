import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import { Version } from './version.ts';

/** A function or method that the language adds to CEL's own; docs are generated from this. */
export interface CelAddition {
  usage: string;
  description: string;
}

export const CEL_ADDITIONS: readonly CelAddition[] = [
  {
    usage: 'default(value, fallback)',
    description: 'The value, or the fallback when the value is not defined or null.',
  },
  { usage: 'defined(value)', description: 'True when the name or member exists; root names work too.' },
  {
    usage: 'semver(text)',
    description:
      'A version: compare two with `<`, `<=`, `==`, `>=`, `>`; parts by `.major()`, `.minor()`, `.patch()`. A leading ' +
      '`v` is allowed and suffixes such as `+k3s1` count.',
  },
  {
    usage: 'versionCompare(a, b)',
    description: 'Negative, zero or positive: how version `a` stands to version `b`.',
  },
  {
    usage: 'now()',
    description: 'The time on the control machine: compare it with `timestamp(text)`, add a `duration(text)`.',
  },
];

/** CEL with the functions of this language. Operators and functions run in it; names and logic are walked by us. */
export const celEnvironment: Environment = addVersions(
  new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    // a chain of this many operators is compiled and evaluated by recursion
    limits: { maxAstNodes: 5000 },
  })
    // these two must not read their first argument before they know that it exists: the compiler does them itself
    .registerFunction('default(dyn, dyn): dyn', (value: unknown, fallback: unknown) => value ?? fallback)
    .registerFunction('defined(dyn): bool', () => true)
    .registerFunction('now(): google.protobuf.Timestamp', () => new Date(Date.now())),
);

function addVersions(environment: Environment): Environment {
  environment
    .registerType('Version', { ctor: Version as never, fields: {} })
    .registerFunction('semver(string): Version', version)
    .registerFunction('versionCompare(string, string): int', (a: string, b: string) =>
      BigInt(version(a).compare(version(b))),
    )
    .registerFunction('Version.compareTo(Version): int', (a: Version, b: Version) => BigInt(a.compare(b)))
    .registerFunction('Version.isLessThan(Version): bool', (a: Version, b: Version) => a.compare(b) < 0)
    .registerFunction('Version.isGreaterThan(Version): bool', (a: Version, b: Version) => a.compare(b) > 0)
    .registerFunction('Version.major(): int', (a: Version) => BigInt(a.parsed.major))
    .registerFunction('Version.minor(): int', (a: Version) => BigInt(a.parsed.minor))
    .registerFunction('Version.patch(): int', (a: Version) => BigInt(a.parsed.patch))
    .registerOperator('Version == Version', (a: Version, b: Version) => a.compare(b) === 0)
    .registerOperator('Version < Version', (a: Version, b: Version) => a.compare(b) < 0)
    .registerOperator('Version <= Version', (a: Version, b: Version) => a.compare(b) <= 0)
    .registerOperator('Version > Version', (a: Version, b: Version) => a.compare(b) > 0)
    .registerOperator('Version >= Version', (a: Version, b: Version) => a.compare(b) >= 0);
  return environment;
}

function version(text: string): Version {
  const parsed = Version.parse(text);
  if (parsed) return parsed;
  throw new EvaluationError({ code: 'invalid_version', message: `\`${text}\` is not a version such as v1.31.5+k3s1` });
}

const definitions = celEnvironment.getDefinitions();

/** Names that CEL gives a meaning of its own: `vars.list` reaches a variable called `list`, `list` does not. */
export const CEL_CONSTANTS: ReadonlySet<string> = new Set(definitions.variables.map((variable) => variable.name));

/** Words that CEL keeps for itself; as a root name they are syntax errors. Source: cel-spec, "Syntax", RESERVED. */
export const CEL_RESERVED: ReadonlySet<string> = new Set(
  (
    'as break const continue else for function if import let loop package namespace return var void while ' +
    'in true false null __proto__ prototype'
  ).split(' '),
);

export const CEL_FUNCTIONS: ReadonlySet<string> = new Set(
  definitions.functions.filter((entry) => entry.receiverType === null).map((entry) => entry.name),
);

export const CEL_METHODS: ReadonlySet<string> = new Set(
  definitions.functions.filter((entry) => entry.receiverType !== null).map((entry) => entry.name),
);
