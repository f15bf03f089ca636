import { defineModule, type ReadTarget, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema } from '../shared/duration.ts';
import { isUnreachable, poll } from '../shared/polling.ts';
import { quote } from '../shared/quote.ts';

interface Next {
  boot: string;
  command: string;
  test: string;
  delay: number;
  after: number;
  timeout: number;
}

export const reboot = defineModule({
  name: 'reboot',
  description: 'Restarts the host and waits until it is back.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      test_command: { type: 'string', default: 'true', description: 'Must succeed before the host counts as back.' },
      reboot_command: {
        type: 'string',
        default: 'shutdown -r now || reboot',
        description: 'What restarts the host.',
      },
      delay: durationSchema('Time for the connection to end in peace, before the restart.', 1),
      post_delay: durationSchema('Wait after the restart before the first look.', 0),
      timeout: durationSchema('How long the restart may take in all.', '10m'),
    },
  },
  examples: [
    { title: 'After a kernel update', yaml: 'reboot: {}' },
    { title: 'Back when k3s runs', yaml: 'reboot: { test_command: "systemctl is-active k3s", timeout: 15m }' },
  ],
  kind: 'action',
  guard: 'every time',
  noUndo: 'a restart cannot be taken back',
  returns: {
    type: 'object',
    properties: {
      rebooted: { type: 'boolean', description: 'The host was restarted.' },
      elapsed_seconds: { type: 'number', description: 'From the command until the test succeeded.' },
    },
  },
  notes:
    'The host counts as restarted when its boot id or the start of its first process is another one: a connection that ' +
    'works is not enough, since the old system may still answer. Drain a node of a cluster first.',
  check: (args) => checkDurations(args, 'delay', 'post_delay', 'timeout'),
  async plan(args, target) {
    const boot = await readBoot(target, 30_000);
    if (boot === '') throw new TaskFailure('this host tells no boot id', { code: 'no-boot-id' });
    const next: Next = {
      boot,
      command: args.reboot_command,
      test: args.test_command,
      delay: durationOf(args.delay, 'delay'),
      after: durationOf(args.post_delay, 'post_delay'),
      timeout: durationOf(args.timeout, 'timeout'),
    };
    return { changes: [{ summary: 'reboot' }], facts: { rebooted: false }, predicted: { rebooted: true }, next };
  },
  async apply(next, target) {
    target.nodeState(target.nodeName, 'rebooting', 'boot');
    await target.run(rebootScript(next));
    await target.dropConnection?.();
    const { elapsed } = await poll(
      target,
      { what: `${target.host.name} to restart`, delay: next.delay + next.after, interval: 1000, timeout: next.timeout },
      (left) => look(next, target, left),
    );
    target.nodeState(target.nodeName, undefined, 'boot');
    return { facts: { rebooted: true, elapsed_seconds: elapsed / 1000 } };
  },
});

/**
 * Identifies the running system. A container shares the boot id of the machine it is on, so the start of its first
 * process is part of it.
 */
const bootScript = `
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || sysctl -n kern.bootsessionuuid 2>/dev/null || sysctl -n kern.boottime 2>/dev/null)
start=$(sed 's/.*) //' /proc/1/stat 2>/dev/null | cut -d ' ' -f 20)
[ -n "$boot" ] && echo "$boot $start"`;

async function readBoot(target: ReadTarget, timeout: number): Promise<string> {
  return (await target.read(bootScript, { timeout })).stdout.trim();
}

/** Leaves the command behind in a session of its own, so that the answer gets through before the machine goes down. */
function rebootScript({ command, delay }: Next): string {
  const later = quote(`sleep ${delay / 1000}; ${command}`);
  return `
own=$(command -v setsid)
$own sh -c ${later} </dev/null >/dev/null 2>&1 &
`;
}

async function look(next: Next, target: WriteTarget, left: number): Promise<object | string> {
  try {
    const timeout = Math.min(10_000, Math.max(1000, left));
    const boot = await readBoot(target, timeout);
    if (boot === '') return 'it does not answer';
    if (boot === next.boot) return 'it has not gone down yet';
    const test = await target.read(next.test, { timeout });
    return test.code === 0 ? {} : `it is back, and \`${next.test}\` gives ${test.code}`;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    await target.dropConnection?.();
    return 'it does not answer';
  }
}
