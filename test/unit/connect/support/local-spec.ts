import type { ConnectionSpec } from '../../../../runner/connect/types.ts';

export function localSpec(shell: string, extra: Partial<ConnectionSpec> = {}): ConnectionSpec {
  return { host: `local ${shell}`, transport: 'local', address: 'localhost', shell, ...extra };
}
