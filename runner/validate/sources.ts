import { readFileSync } from 'node:fs';
import type { SourceText } from './format.ts';

/** Reads source lines from disk, each file once, for formatDiagnostics. */
export function sourcesFromDisk(): SourceText {
  const texts = new Map<string, string | undefined>();
  return (file) => {
    if (!texts.has(file)) texts.set(file, readOrNothing(file));
    return texts.get(file);
  };
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
