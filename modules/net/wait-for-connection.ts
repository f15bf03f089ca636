import { defineModule } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema } from '../shared/duration.ts';
import { isUnreachable, poll } from '../shared/polling.ts';

export const waitForConnection = defineModule({
  name: 'wait-for-connection',
  description: 'Waits until the host can be reached and runs a command.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      delay: durationSchema('Wait before the first look.', 0),
      interval: durationSchema('Wait between looks.', '2s'),
      timeout: durationSchema('How long to wait in all.', '10m'),
    },
  },
  shorthand: 'timeout',
  examples: [
    { title: 'A machine that was just created', yaml: 'wait-for-connection: 5m' },
    { title: 'With patience', yaml: 'wait-for-connection: { delay: 10s, timeout: 20m }' },
  ],
  kind: 'check',
  waits: { inCheck: 'unless-pending', what: () => 'the host to be reachable' },
  returns: {
    type: 'object',
    properties: { elapsed_seconds: { type: 'number', description: 'How long it took.' } },
  },
  check: (args) => checkDurations(args, 'delay', 'interval', 'timeout'),
  async plan(args, target) {
    const options = {
      what: `${target.host.name} to be reachable`,
      delay: durationOf(args.delay, 'delay'),
      interval: durationOf(args.interval, 'interval'),
      timeout: durationOf(args.timeout, 'timeout'),
    };
    const { elapsed } = await poll(target, options, async (left) => {
      try {
        const { code, timedOut } = await target.read('exit 0', { timeout: Math.min(10_000, Math.max(1000, left)) });
        return code === 0 && !timedOut ? {} : 'its shell does not answer';
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        await target.dropConnection?.();
        return error.message;
      }
    });
    return { changes: [], facts: { elapsed_seconds: elapsed / 1000 } };
  },
});
