/**
 * The install script writes unit and environment file anew from its arguments and environment: what is left out is lost.
 * Here is what to give it so that nothing is, and how to see afterwards whether something was.
 */
import { isSecretName, type K3sState, type K3sUnit } from './k3s-state.ts';
import { type Directive, valuesOf } from './unit-file.ts';

/** Whether the install script carries a variable over into the environment file (its create_env_file). */
function isKept(name: string): boolean {
  return /^(K3S|CONTAINERD)_/.test(name) || /^(no|http|https)_proxy/i.test(name);
}

/** Arguments go through an unquoted substitution: several blanks become one, a line end becomes a blank. */
const BLANKS = /\s\s|[\t\r\n]/;
/** Variables go through `read` and `echo` without quotes: backslashes vanish and blanks are squeezed. */
const BENT_VALUE = /\\|\s\s|[\t\r\n]|^\s|\s$/;

/** Directives that the install script writes itself; any other key in a unit was put there by a person. */
const WRITTEN_KEYS = new Set(
  (
    'Description Documentation Wants After WantedBy Type EnvironmentFile KillMode Delegate User LimitNOFILE LimitNPROC ' +
    'LimitCORE TasksMax TimeoutStartSec Restart RestartSec ExecStartPre ExecStart'
  ).split(' '),
);

/** What belongs to the module itself, and the argument that says it instead. */
export const OWN_VARIABLES: Record<string, string> = {
  INSTALL_K3S_VERSION: '`version`',
  INSTALL_K3S_EXEC: '`exec_args`',
  INSTALL_K3S_BIN_DIR: '`bin_dir`',
  INSTALL_K3S_SYSTEMD_DIR: '`systemd_dir`',
  INSTALL_K3S_NAME: '`unit`',
  INSTALL_K3S_SKIP_START: 'nothing: the module starts the unit itself',
  INSTALL_K3S_SKIP_ENABLE: 'nothing: a disabled unit stays disabled',
  INSTALL_K3S_FORCE_RESTART: 'nothing: the module starts the unit itself',
  INSTALL_K3S_COMMIT: '`version`',
  INSTALL_K3S_PR: '`version`',
};

export interface Replay {
  /** After the role. */
  args: string[];
  /** Variables that the environment file must hold afterwards. */
  env: Map<string, string>;
}

/** What the unit must run with afterwards: what it has now, and what the task says otherwise. */
export function replayOf(
  unit: K3sUnit | undefined,
  execArgs: string[] | undefined,
  installEnv: Record<string, string>,
): Replay {
  const env = new Map(unit?.env ?? []);
  for (const [name, value] of Object.entries(installEnv)) if (isKept(name)) env.set(name, value);
  return { args: execArgs ?? unit?.args ?? [], env };
}

/** What of a unit and its environment file the install script has no way to keep. Values of variables are not named. */
export function unreplayable(unit: K3sUnit, wanted: Replay): string[] {
  const lost = [...unit.env.keys()].filter((name) => !isKept(name)).map((name) => `${name} in ${unit.envPath}`);
  for (const [name, value] of wanted.env) {
    if (isKept(name) && BENT_VALUE.test(value)) lost.push(`the blanks or backslashes in the value of ${name}`);
  }
  for (const arg of wanted.args) if (BLANKS.test(arg)) lost.push(`the blanks in the argument ${shownArg(arg)}`);
  for (const one of unit.directives) {
    if (!WRITTEN_KEYS.has(one.key)) lost.push(`${one.key}= in ${unit.path}`);
  }
  return lost;
}

/** What the installed unit lacks of what it should have; empty when nothing was lost. Values of variables are not named. */
export function losses(before: K3sUnit | undefined, after: K3sUnit | undefined, wanted: Replay): string[] {
  if (!after) return ['the unit itself'];
  const lost = missingOf(wanted.args, after.args).map((arg) => `argument ${shownArg(arg)}`);
  if (lost.length === 0 && wanted.args.join('\0') !== after.args.join('\0')) lost.push('the order of the arguments');
  for (const [name, value] of wanted.env) {
    const now = after.env.get(name);
    if (now === undefined) lost.push(`variable ${name}`);
    else if (now !== value) lost.push(`the value of ${name}`);
  }
  const files = (directives: Directive[]) => valuesOf(directives, 'Service', 'EnvironmentFile');
  for (const file of missingOf(files(before?.directives ?? []), files(after.directives)))
    lost.push(`EnvironmentFile=${file}`);
  return lost;
}

function missingOf(wanted: string[], present: string[]): string[] {
  const left = [...present];
  return wanted.filter((one) => {
    const at = left.indexOf(one);
    if (at === -1) return true;
    left.splice(at, 1);
    return false;
  });
}

/** `--token=…`: the value of a secret flag is left out. */
function shownArg(arg: string): string {
  const flag = arg.split('=')[0]!;
  return arg.includes('=') && isSecretName(flag) ? `${flag}=…` : arg;
}

/** Server units that were not there before: an agent that the script took for a server. */
export function strayServerUnits(before: K3sState, after: K3sState): K3sUnit[] {
  const known = new Set(before.units.map((unit) => unit.name));
  return after.units.filter((unit) => unit.role === 'server' && !known.has(unit.name));
}

/** Arguments one a line and variables as `NAME=value`, for a diff; secrets as their name only. */
export function shownReplay({ args, env }: Replay): string {
  const hidden = args.map((arg, i) => (i > 0 && isSecretFlag(args[i - 1]!) ? '…' : shownArg(arg)));
  const variables = [...env].map(([name, value]) => `${name}=${isSecretName(name) ? '…' : value}`).sort();
  return [...hidden, ...variables, ''].join('\n');
}

function isSecretFlag(arg: string): boolean {
  return arg.startsWith('-') && !arg.includes('=') && isSecretName(arg);
}
