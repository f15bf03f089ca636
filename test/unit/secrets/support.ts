import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Diagnostic, InvalidError } from '../../../runner/errors.ts';
import { SecretSession, type SecretSources } from '../../../runner/secrets/session.ts';

/** Keys of the vectors; they protect nothing (vectors/README.md says whose they are). */
export const KEYS = {
  strings: 'AGE-SECRET-KEY-1NJT5YCS2LWU4V4QAJQ6R4JNU7LXPDX602DZ9NUFANVU5GDTGUWCQ5T59M6',
  types: 'AGE-SECRET-KEY-14CSLELDXVWL48V82MSDF8EPVN9KWKKCQ38ZQ80V7Q8ZK7EW26WGQ7W29YP',
  secret: 'AGE-SECRET-KEY-1RH87A5Z54ZGUR9S0AS3R6WHFSEFNPLYMAKF5Z2CEU7R06VRJ0A3Q7242AM',
};
export const EXAMPLE_DATA_KEY = Buffer.from('8c68886c50b5b72965a3cb99c5172e1d74a8aca27b39ee880b535d6907e59f68', 'hex');

export const vector = (name: string) => join(import.meta.dirname, 'vectors', name);
export const vectorText = (name: string) => readFileSync(vector(name), 'utf8');

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'reeve-secrets-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A session that finds no keys but those given. */
export function session(sources: Partial<SecretSources> = {}): { secrets: SecretSession; known: unknown[] } {
  const environment = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent', ...sources.environment };
  const secrets = new SecretSession({ vaultIds: [], ask: undefined, ...sources, environment });
  const known: unknown[] = [];
  secrets.tellTo((value) => known.push(value));
  return { secrets, known };
}

/** What loading reports when it must fail. */
export async function problemsOf(work: () => unknown): Promise<Diagnostic[]> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InvalidError) return error.diagnostics;
    throw error;
  }
  throw new Error('it should have failed');
}
