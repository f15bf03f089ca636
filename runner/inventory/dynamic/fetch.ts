import { type Diagnostic, InvalidError, ReeveError } from '../../errors.ts';
import type { Opener } from '../../load/opener.ts';
import type { JsonInventory } from '../json-inventory.ts';
import type { Construct } from '../load.ts';
import type { Source } from '../sources.ts';

export interface FetchOptions {
  /** Milliseconds for each source that names no deadline of its own; default 30 s. */
  deadline?: number | undefined;
  /** Folder in which plugins keep what they fetched; without it nothing is kept. */
  cacheFolder?: string | undefined;
  /** Ask anew even when what is kept is young enough. */
  refresh?: boolean | undefined;
  /** Opens secrets in the files of plugins. */
  opener?: Opener | undefined;
  environment: Readonly<Record<string, string | undefined>>;
}

export const DEFAULT_DEADLINE = 30_000;

/**
 * Asks every program and plugin among the sources, all at the same time.
 * @throws InvalidError with every error found.
 */
export async function fetchSources(
  sources: readonly Source[],
  options: FetchOptions,
): Promise<Map<string, JsonInventory | Construct>> {
  const fetched = new Map<string, JsonInventory | Construct>();
  const diagnostics: Diagnostic[] = [];
  const dynamic = sources.filter((source) => source.kind !== 'hosts').filter(({ kind }) => kind !== 'file');
  await Promise.all(
    dynamic.map(async ({ kind, file }) => {
      try {
        fetched.set(file, kind === 'program' ? await program(file, options) : await plugin(file, options));
      } catch (error) {
        diagnostics.push(...diagnosticsOf(error));
      }
    }),
  );
  if (diagnostics.length > 0) throw new InvalidError(diagnostics);
  return fetched;
}

async function program(file: string, options: FetchOptions): Promise<JsonInventory> {
  const { askProgram } = await import('./program.ts');
  return askProgram(file, options.deadline ?? DEFAULT_DEADLINE);
}

async function plugin(file: string, options: FetchOptions): Promise<JsonInventory | Construct> {
  const { openPlugin } = await import('./plugin.ts');
  return openPlugin(file, options);
}

function diagnosticsOf(error: unknown): Diagnostic[] {
  if (error instanceof InvalidError) return error.diagnostics;
  if (!(error instanceof ReeveError)) throw error;
  const { code, message, place, hint } = error;
  return [{ code, severity: 'error', message, ...(place ? { place } : {}), ...(hint === undefined ? {} : { hint }) }];
}
