/** What is on a host of k3s: binary, units, environment files, datastore. One script, and the reading of its output. */
import type { ReadTarget } from '../../runner/module.ts';
import { parseK3sVersion, versionOfOutput } from './k3s-version.ts';
import { quote } from './quote.ts';
import { type Directive, execStart, parseEnvironmentFile, parseUnitFile } from './unit-file.ts';
import { parseUnitState, systemdShow, type UnitState } from './units.ts';

/** Where k3s is on the host; all four are arguments of the modules. */
export interface K3sPlaces {
  bin_dir: string;
  systemd_dir: string;
  data_dir: string;
  config_dir: string;
}

/** The arguments that say so. */
export const placeArgs = {
  bin_dir: { type: 'string', default: '/usr/local/bin', description: 'Directory of the k3s binary.' },
  systemd_dir: { type: 'string', default: '/etc/systemd/system', description: 'Directory of the systemd units.' },
  data_dir: { type: 'string', default: '/var/lib/rancher/k3s', description: 'Data directory of k3s.' },
  config_dir: { type: 'string', default: '/etc/rancher/k3s', description: 'Directory of config.yaml.' },
} as const;

export type K3sRole = 'server' | 'agent';

export interface K3sUnit {
  /** Without `.service`. */
  name: string;
  role: K3sRole;
  path: string;
  text: string;
  directives: Directive[];
  /** Arguments after the role, as they stand in the unit itself. */
  args: string[];
  envPath: string;
  /** Undefined when there is no such file. */
  envText?: string;
  env: Map<string, string>;
  dropIns: { path: string; text: string }[];
  state: UnitState;
  /** The binary was replaced after the unit's process had started. */
  stale: boolean;
}

export type Datastore = 'etcd' | 'sqlite' | 'external' | 'none';

export interface K3sState {
  /** Undefined when there is no binary, or none that tells its version. */
  installed?: string;
  units: K3sUnit[];
  datastore: Datastore;
  /** sha256 of the server token: a restore needs that token. */
  tokenHash?: string;
  /** False on hosts without systemd. */
  systemd: boolean;
}

const FRAME = /^@@ (\S+) (\d+)$/;

/**
 * Reads all of it in one round trip.
 * @param names units to look for beside k3s and k3s-agent
 */
export async function readK3sState(target: ReadTarget, places: K3sPlaces, names: string[] = []): Promise<K3sState> {
  const result = await target.read(k3sStateScript(places, names));
  const state = parseK3sState(result.raw.stdout, places);
  for (const unit of state.units) for (const secret of secretsOf(unit.args, unit.env)) target.secret(secret);
  return state;
}

/** Prints frames: a line `@@ label bytes`, then so many bytes and a line end. */
export function k3sStateScript(places: K3sPlaces, names: string[] = []): string {
  const units = [...new Set(['k3s', 'k3s-agent', ...names])];
  return `
bin=${quote(`${places.bin_dir}/k3s`)}
units=${quote(places.systemd_dir)}
data=${quote(places.data_dir)}
config=${quote(places.config_dir)}
text() { printf '@@ %s %s\\n%s\\n' "$1" "$(printf %s "$2" | wc -c | tr -d ' ')" "$2"; }
file() { [ -f "$2" ] && printf '@@ %s %s\\n' "$1" "$(wc -c <"$2" | tr -d ' ')" && cat "$2" && echo; }
command -v systemctl >/dev/null 2>&1 && text systemd yes
if [ -x "$bin" ]; then
  text version "$("$bin" --version 2>/dev/null </dev/null | head -n 1)"
  text changed "$(stat -c %Y "$bin" 2>/dev/null)"
fi
${units.map(unitScript).join('\n')}
if [ -d "$data/server/db/etcd" ]; then text datastore etcd
elif [ -f "$data/server/db/state.db" ]; then text datastore sqlite; fi
grep -qs '^datastore-endpoint' "$config/config.yaml" "$config"/config.yaml.d/*.yaml && text endpoint yes
[ -f "$data/server/token" ] && text token "$(sha256sum "$data/server/token" 2>/dev/null | sed 's/ .*//')"
:`;
}

function unitScript(name: string): string {
  const shown = `${name}.service`;
  return `
u="$units"/${quote(shown)}
if [ -f "$u" ]; then
  file ${quote(`unit:${name}`)} "$u"
  file ${quote(`env:${name}`)} "$u.env"
  for d in "$u".d/*.conf; do [ -f "$d" ] && text ${quote(`drop-in-path:${name}`)} "$d" && file ${quote(`drop-in:${name}`)} "$d"; done
  text ${quote(`state:${name}`)} "$(${systemdShow(shown)} 2>/dev/null)"
  t=$(systemctl show -p ExecMainStartTimestamp -- ${quote(shown)} 2>/dev/null)
  t=\${t#*=}
  [ -n "$t" ] && text ${quote(`started:${name}`)} "$(date -d "\${t#* }" +%s 2>/dev/null)"
fi`;
}

export function parseK3sState(output: Buffer, places: K3sPlaces): K3sState {
  const frames = readFrames(output);
  const first = (label: string) => frames.find((frame) => frame.label === label)?.text;
  const changed = Number(first('changed') || 0);
  const units = frames
    .filter((frame) => frame.label.startsWith('unit:'))
    .map((frame) => unitOf(frame.label.slice('unit:'.length), frame.text, frames, places, changed));
  const installed = versionOfOutput(first('version') ?? '');
  const tokenHash = first('token');
  return {
    ...(installed === undefined ? {} : { installed }),
    units,
    datastore: datastoreOf(first('datastore'), first('endpoint') === 'yes', units),
    ...(tokenHash ? { tokenHash } : {}),
    systemd: first('systemd') === 'yes',
  };
}

interface Frame {
  label: string;
  text: string;
}

function readFrames(output: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(10, at);
    if (end === -1) break;
    const header = FRAME.exec(output.toString('utf8', at, end));
    at = end + 1;
    if (!header) continue;
    const bytes = Number(header[2]);
    frames.push({ label: header[1]!, text: output.toString('utf8', at, at + bytes) });
    at += bytes + 1;
  }
  return frames;
}

function unitOf(name: string, text: string, frames: Frame[], places: K3sPlaces, changed: number): K3sUnit {
  const get = (kind: string) => frames.filter((f) => f.label === `${kind}:${name}`).map((f) => f.text);
  const directives = parseUnitFile(text);
  const [, role, ...args] = execStart(directives);
  const path = `${places.systemd_dir}/${name}.service`;
  const envText = get('env')[0];
  const paths = get('drop-in-path');
  const started = Number(get('started')[0] || 0);
  return {
    name,
    role: role === 'agent' ? 'agent' : 'server',
    path,
    text,
    directives,
    args,
    envPath: `${path}.env`,
    ...(envText === undefined ? {} : { envText }),
    env: parseEnvironmentFile(envText ?? ''),
    dropIns: get('drop-in').map((dropIn, i) => ({ path: paths[i] ?? '', text: dropIn })),
    state: parseUnitState(get('state')[0] ?? ''),
    stale: started > 0 && changed > 0 && started < changed,
  };
}

function datastoreOf(found: string | undefined, configured: boolean, units: K3sUnit[]): Datastore {
  const server = units.find((unit) => unit.role === 'server');
  const external =
    configured ||
    (server !== undefined &&
      (server.env.has('K3S_DATASTORE_ENDPOINT') || server.args.some((arg) => /^--datastore-endpoint(=|$)/.test(arg))));
  if (external) return 'external';
  return found === 'etcd' || found === 'sqlite' ? found : 'none';
}

/** The unit that this host runs: the only one, or of several the one that is active or starts at boot. */
export function mainUnit(state: K3sState, role?: K3sRole): K3sUnit | undefined {
  const candidates = role === undefined ? state.units : state.units.filter((unit) => unit.role === role);
  if (candidates.length < 2) return candidates[0];
  const live = candidates.filter((unit) => unit.state.active === 'active' || unit.state.active === 'activating');
  if (live.length === 1) return live[0];
  const enabled = candidates.filter((unit) => unit.state.enabled);
  return enabled.length === 1 ? enabled[0] : undefined;
}

export function parsedVersion(state: K3sState) {
  return state.installed === undefined ? undefined : parseK3sVersion(state.installed);
}

const SECRET_NAME = /token|password|secret|endpoint|access-key|_key$/i;

/** Values among the arguments and variables of k3s that nobody should read in a log. */
export function secretsOf(args: string[], env: Iterable<[string, string]>): string[] {
  const secrets: string[] = [];
  for (const [name, value] of env) if (isSecretName(name) && value !== '') secrets.push(value);
  args.forEach((arg, i) => {
    const [flag = '', ...rest] = arg.split('=');
    if (!flag.startsWith('-') || !isSecretName(flag)) return;
    const value = arg.includes('=') ? rest.join('=') : args[i + 1];
    if (value !== undefined && value !== '') secrets.push(value);
  });
  return secrets;
}

/** A name that stands for a secret itself; `…-file` names a path to one. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !/[-_]file$/i.test(name);
}
