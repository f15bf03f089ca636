import { ReeveError } from '../../errors.ts';

/** `reeve doctor [PATTERN]`. */
export async function doctor(_pattern: string | undefined, _options: Record<string, unknown>): Promise<number> {
  throw new ReeveError('not-there-yet', 'doctor is not there yet');
}
