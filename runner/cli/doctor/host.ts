import type { Become, ConnectionSpec } from '../../connect/types.ts';
import { EXIT, ReeveError } from '../../errors.ts';
import { becomeFromVariables, becomeSpec, connectionSetting } from '../../execute/connection-spec.ts';
import { plainScope } from '../../execute/host-scope.ts';
import { hostState, type RunState } from '../../execute/run-state.ts';
import { specOf } from '../../execute/where.ts';
import type { Scope } from '../../language/types.ts';
import { Findings } from './finding.ts';
import { checkClock, checkPlace, checkPrograms, type HostProbe } from './host-checks.ts';

/** milliseconds for each of doctor's own short questions. */
const TIMEOUT = 20_000;
const DEFAULT_STATE_DIR = '/var/lib/reeve';

/** Looks at one host: connecting, becoming, programs, the state directory, the clock. Writes nothing there. */
export async function examineHost(run: RunState, name: string): Promise<Findings> {
  const findings = new Findings(name);
  const signal = run.interrupt.signal;
  try {
    const host = hostState(run, name);
    const scope = plainScope(run, host);
    const spec = specOf(run, host);
    const ask = (script: string, become?: Become) =>
      run.connections.run(spec, become, { script, timeout: TIMEOUT, signal });
    const login = (await ask('id -un; id -u')).stdout.trim().split('\n');
    findings.ok('connection', `${shownWay(spec)} as ${login[0]}`);
    const become = becomeOf(run, name, scope);
    if (!(await checkBecome(findings, become, Number(login[1]), ask))) return findings;
    const probe: HostProbe = {
      ask: (script) => ask(script, become),
      capabilities: () => run.connections.capabilities(spec, become),
      stateDir: scope.has('reeve_dir') ? String(scope.get('reeve_dir')) : DEFAULT_STATE_DIR,
    };
    await checkPrograms(findings, probe);
    await checkPlace(findings, probe);
    await checkClock(findings, probe);
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error;
    const message = error.message.replace(`${name}: `, '');
    if (error.exitCode === EXIT.unreachable) findings.unreachable(message, error.hint);
    else findings.error('connection', message, error.hint);
  }
  return findings;
}

function becomeOf(run: RunState, name: string, scope: Scope): Become | undefined {
  const { become, user, method } = becomeFromVariables(scope);
  if (!become) return undefined;
  const password = connectionSetting(scope, 'becomePassword', (value) => run.masker.add(value));
  return becomeSpec(name, user, method, password);
}

/** False when nothing more can be asked. */
async function checkBecome(
  findings: Findings,
  become: Become | undefined,
  loginUid: number,
  ask: (script: string, become?: Become) => Promise<{ stdout: string }>,
): Promise<boolean> {
  if (!become) {
    if (loginUid !== 0) {
      findings.warning(
        'become',
        'tasks run as the login user, who is not root; services and k3s need root',
        'set `become: true` in the inventory, or on the plays that need it',
      );
    } else findings.ok('become', 'not needed: the login user is root');
    return true;
  }
  try {
    const user = (await ask('id -un', become)).stdout.trim();
    findings.ok('become', `${become.method} to ${user}`);
    return true;
  } catch (error) {
    if (!(error instanceof ReeveError) || error.code !== 'become-failed') throw error;
    findings.error('become', error.message.replace(/^[^:]+: /, ''), error.hint);
    return false;
  }
}

function shownWay(spec: ConnectionSpec): string {
  if (spec.transport === 'local') return 'this machine';
  if (spec.transport === 'pct') return `container ${spec.vmid} on ${spec.node?.host}`;
  return `${spec.transport} to ${spec.address}${spec.port === undefined ? '' : ` port ${spec.port}`}`;
}
