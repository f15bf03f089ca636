import { readVariablesDocument } from '../inventory/dialect.ts';
import type { Opener } from '../load/opener.ts';
import type { Given } from '../playbook/fill-inputs.ts';
import { UsageError } from './report-error.ts';

/**
 * Reads the values of `-e`: `name=value`, or `@file` with a mapping, encrypted or not. Throws UsageError, InvalidError.
 */
export function readExtraVars(values: readonly string[], opener: Opener): Given[] {
  return values.flatMap((value) => (value.startsWith('@') ? fromFile(value.slice(1), opener) : [pair(value)]));
}

function pair(value: string): Given {
  const at = value.indexOf('=');
  if (at < 1) throw new UsageError(`-e ${value}: it takes name=value or @file`);
  return { name: value.slice(0, at), text: value.slice(at + 1), from: '-e' };
}

function fromFile(file: string, opener: Opener): Given[] {
  const { value } = readVariablesDocument(file, { fallback: 'reeve', opener }).document;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new UsageError(`-e @${file}: the file takes a mapping of names and values`);
  }
  return Object.entries(value).map(([name, item]) => ({ name, value: item, from: `-e @${file}:` }));
}
