import { readFileSync } from 'node:fs';

/** The version in package.json, which lies above this file in a checkout and in the package. */
export function version(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === 'reeve' && found.version) return found.version;
    } catch {
      // The other place has it.
    }
  }
  return 'unknown';
}
