import { homedir, hostname, userInfo } from 'node:os';

/** Fills in the tokens of ssh_config(5) that make sense here; `tokens` are those of the host that is asked about. */
export function expandTokens(text: string, tokens: Record<string, string>): string {
  const known: Record<string, string> = {
    '%': '%',
    d: homedir(),
    u: userInfo().username,
    l: hostname(),
    L: hostname().split('.')[0] ?? '',
    ...tokens,
  };
  return text.replace(/%(.)/g, (whole, token: string) => known[token] ?? whole);
}
