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
  /** When its process started, in seconds since 1970; 0 where that cannot be told. */
  started: number;
  /** The binary was replaced after the unit's process had started. */
  stale: boolean;
}

export type Datastore = 'etcd' | 'sqlite' | 'external' | 'none';

export interface K3sState {
  /**
   * Undefined when there is no binary, or none that tells its version. After an interrupted installation: the version
   * before it, and `units` are the units before it.
   */
  installed?: string;
  /** An installation began and nobody saw it end. */
  interrupted: boolean;
  units: K3sUnit[];
  datastore: Datastore;
  /** sha256 of the server token: a restore needs that token. */
  tokenHash?: string;
  /** False on hosts without systemd. */
  systemd: boolean;
}

const FRAME = /^@@ (\S+) (\d+)$/;

export interface ReadOptions {
  /** Units to look for beside k3s and k3s-agent. */
  names?: string[];
  /** The files as they are, also after an interrupted installation. */
  asIs?: boolean;
}

/** Reads all of it in one round trip. */
export async function readK3sState(
  target: ReadTarget,
  places: K3sPlaces,
  options: ReadOptions = {},
): Promise<K3sState> {
  const result = await target.read(k3sStateScript(places, options.names ?? [], copiesDir(target.stateDir)));
  const state = parseK3sState(result.raw.stdout, places, options.asIs);
  for (const unit of state.units) for (const secret of secretsOf(unit.args, unit.env)) target.secret(secret);
  return state;
}

/** Where the copies for a rollback lie on the target, and the mark of an installation under way. */
export function copiesDir(stateDir: string): string {
  return `${stateDir}/k3s`;
}

/**
 * The mark: a file with `UNIT VERSION enabled|disabled`, written before the install script runs and removed when what it
 * left was looked at. Beside it lie the copies that `copyPaths` names.
 */
export const MARK = 'installing';

/** @param dir as copiesDir gives it */
export function copyPaths(dir: string, version: string, unit: string) {
  return {
    binary: `${dir}/k3s-${version}`,
    unit: `${dir}/${unit}.service-${version}`,
    env: `${dir}/${unit}.service.env-${version}`,
  };
}

/**
 * Prints frames: a line `@@ label bytes`, then so many bytes and a line end. The shell counts them, which starts no process:
 * in the locale C its characters are bytes, on dash, bash and busybox ash.
 */
function k3sStateScript(places: K3sPlaces, names: string[], copies: string): string {
  const units = [...new Set(['k3s', 'k3s-agent', ...names])];
  return `
bin=${quote(`${places.bin_dir}/k3s`)}
units=${quote(places.systemd_dir)}
data=${quote(places.data_dir)}
config=${quote(places.config_dir)}
LC_ALL=C
text() { printf '@@ %s %s\\n%s\\n' "$1" "\${#2}" "$2"; }
file() { [ -f "$2" ] && content=$(cat "$2" && echo .) && text "$1" "\${content%.}"; }
command -v systemctl >/dev/null 2>&1 && text systemd yes
if [ -x "$bin" ]; then
  version=$("$bin" --version 2>/dev/null </dev/null)
  text version "\${version%%'
'*}"
  text changed "$(stat -c %Y "$bin" 2>/dev/null)"
fi
${units.map(unitScript).join('\n')}
if [ -d "$data/server/db/etcd" ]; then text datastore etcd
elif [ -f "$data/server/db/state.db" ]; then text datastore sqlite; fi
grep -qs '^datastore-endpoint' "$config/config.yaml" "$config"/config.yaml.d/*.yaml && text endpoint yes
if [ -f ${quote(`${copies}/${MARK}`)} ]; then
  read -r unit version enabled <${quote(`${copies}/${MARK}`)}
  text interrupted "$version $unit $enabled $(stat -c %Y ${quote(`${copies}/${MARK}`)} 2>/dev/null)"
  file interrupted-unit ${quote(copies)}/"$unit.service-$version"
  file interrupted-env ${quote(copies)}/"$unit.service.env-$version"
fi
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

/** @param asIs see ReadOptions */
function parseK3sState(output: Buffer, places: K3sPlaces, asIs = false): K3sState {
  const frames = readFrames(output);
  const first: Find = (label) => frames.find((frame) => frame.label === label)?.text;
  const units = frames
    .filter((frame) => frame.label.startsWith('unit:'))
    .map((frame) => presentUnit(frame.label.slice('unit:'.length), frame.text, frames, places));
  const before = asIs ? undefined : beforeInterruption(first, units, places);
  const installed = before ? before.version : versionOfOutput(first('version') ?? '');
  const tokenHash = first('token');
  return {
    ...(installed === undefined ? {} : { installed }),
    interrupted: before !== undefined,
    units: before?.units ?? units,
    datastore: datastoreOf(first('datastore'), first('endpoint') === 'yes', units),
    ...(tokenHash ? { tokenHash } : {}),
    systemd: first('systemd') === 'yes',
  };
}

interface Frame {
  label: string;
  text: string;
}
type Find = (label: string) => string | undefined;

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

function presentUnit(name: string, text: string, frames: Frame[], places: K3sPlaces): K3sUnit {
  const get = (kind: string) => frames.filter((f) => f.label === `${kind}:${name}`).map((f) => f.text);
  const changed = Number(frames.find((frame) => frame.label === 'changed')?.text || 0);
  const started = Number(get('started')[0] || 0);
  const paths = get('drop-in-path');
  return {
    ...readUnit(name, text, get('env')[0], places),
    dropIns: get('drop-in').map((dropIn, i) => ({ path: paths[i] ?? '', text: dropIn })),
    state: parseUnitState(get('state')[0] ?? ''),
    started,
    stale: started > 0 && changed > 0 && started < changed,
  };
}

/** A unit from the text of its two files. */
function readUnit(name: string, text: string, envText: string | undefined, places: K3sPlaces): K3sUnit {
  const directives = parseUnitFile(text);
  const [, role, ...args] = execStart(directives);
  const path = `${places.systemd_dir}/${name}.service`;
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
    dropIns: [],
    state: parseUnitState(''),
    started: 0,
    stale: false,
  };
}

/**
 * What was there before an installation that nobody saw end. Undefined without one, and when k3s was started since: then
 * somebody has put things right by hand.
 */
function beforeInterruption(first: Find, units: K3sUnit[], places: K3sPlaces) {
  const [version, name, enabled, since] = first('interrupted')?.split(' ') ?? [];
  const text = first('interrupted-unit');
  if (version === undefined || name === undefined || text === undefined) return undefined;
  if (units.some((unit) => unit.started > Number(since))) return undefined;
  const now = units.find((unit) => unit.name === name);
  const unit = readUnit(name, text, first('interrupted-env'), places);
  const state = { ...(now?.state ?? unit.state), enabled: enabled === 'enabled' };
  return { version, units: [...units.filter((one) => one.name !== name), { ...unit, state }] };
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
function secretsOf(args: string[], env: Iterable<[string, string]>): string[] {
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
