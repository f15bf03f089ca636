import type { Diagnostic } from '../errors.ts';
export function formatDiagnostics(d: readonly Diagnostic[], _s: unknown, _o: unknown): string { return d.map(x => `${x.place?.file}:${x.place?.line}:${x.place?.column}: ${x.message} ${x.hint ?? ''}`).join('\n'); }
