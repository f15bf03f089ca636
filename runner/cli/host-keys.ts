import type { HostKeyChecking } from '../connect/types.ts';
import { UsageError } from './report-error.ts';

/** How unknown host keys are treated, from the flag or REEVE_HOST_KEY_CHECKING; undefined leaves it to the inventory. */
export function hostKeyChecking(given: string | undefined): { hostKeyChecking?: HostKeyChecking } {
  if (given === undefined) return {};
  if (given === 'ask' || given === 'strict' || given === 'accept-new' || given === 'off')
    return { hostKeyChecking: given };
  throw new UsageError(`--host-key-checking ${given}: it can be ask, strict, accept-new or off`);
}
