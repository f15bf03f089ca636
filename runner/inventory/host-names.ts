import { parseAddress } from './address.ts';
import { expandRanges } from './ranges.ts';

export interface WrittenHosts {
  names: string[];
  /** The port written behind the name: `web1:2222`, `[2001:db8::1]:22`. */
  port?: number;
}

const SIMPLE = /^[A-Za-z0-9][A-Za-z0-9.]*$/;

/** The hosts that a name in an inventory stands for: ranges expanded, the port taken off. */
export function readHostNames(written: string): WrittenHosts | { problem: string } {
  if (SIMPLE.test(written)) return { names: [written] };
  const address = parseAddress(written);
  const names = expandRanges(address?.host ?? written);
  if ('problem' in names) return names;
  return address?.port === undefined ? { names } : { names, port: address.port };
}
