/**
 * What Ansible takes for an address (lib/ansible/parsing/utils/addresses.py, core 2.14): an IPv4 or IPv6 address or a
 * host name, each possibly with ranges, with a port behind it.
 */
export interface Address {
  host: string;
  port: number | undefined;
}

const NUMERIC = String.raw`\[\d+:\d+(?::\d+)?\]`;
const HEXADECIMAL = String.raw`\[[0-9a-f]+:[0-9a-f]+(?::\d+)?\]`;
const ALPHANUMERIC = String.raw`\[(?:[a-z]:[a-z]|\d+:\d+)(?::\d+)?\]`;
const V4 = String.raw`(?:[01]?\d{1,2}|2[0-4]\d|25[0-5]|${NUMERIC})`;
const V6 = `(?:[0-9a-f]{1,4}|${HEXADECIMAL})`;
const WORD = '[\\p{L}\\p{N}\\p{M}_]';
const LABEL = `(?:${WORD}|${ALPHANUMERIC})(?:${WORD}|-|${ALPHANUMERIC})*(?<![_-])`;

const IPV4 = new RegExp(`^(?:${V4}\\.){3}${V4}$`, 'i');
const IPV6 = new RegExp(
  `^(?:${[
    `(?:${V6}:){7}${V6}`,
    `(?:${V6}:){1,6}:`,
    `(?:${V6}:)(?::${V6}){1,6}`,
    `(?:${V6}:){2}(?::${V6}){1,5}`,
    `(?:${V6}:){3}(?::${V6}){1,4}`,
    `(?:${V6}:){4}(?::${V6}){1,3}`,
    `(?:${V6}:){5}(?::${V6}){1,2}`,
    `(?:${V6}:){6}(?::${V6})`,
    `:(?::${V6}){1,6}`,
    `${V6}?::`,
    `(?:0:){6}(?:${V6}\\.){3}${V6}`,
    `::(?:ffff:)?(?:${V6}\\.){3}${V6}`,
    `(?:0:){5}ffff:(?:${V6}\\.){3}${V6}`,
  ].join('|')})$`,
  'i',
);
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'iu');
const BRACKETED_PORT = /^\[(.+)\]:(\d+)$/;
const PORT = /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/;

/** Undefined when the text is no address. */
export function parseAddress(text: string): Address | undefined {
  let host = text;
  let port: number | undefined;
  for (const form of [BRACKETED_PORT, PORT]) {
    const match = form.exec(host);
    if (match) [host, port] = [match[1]!, Number(match[2])];
  }
  const isAddress = isIpAddress(host) || HOST_NAME.test(host);
  return isAddress ? { host, port } : undefined;
}

/** True for IPv4 and IPv6 addresses, also with ranges. */
export function isIpAddress(text: string): boolean {
  return IPV4.test(text) || IPV6.test(text);
}
