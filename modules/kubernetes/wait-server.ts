import { defineModule, TaskFailure } from '../../runner/module.ts';
import { durationOf, durationSchema } from '../shared/duration.ts';

/** milliseconds between two questions to a server that is away. */
const PAUSE = 250;

export const waitServer = defineModule({
  name: 'wait-server',
  description: 'Waits until the API server on the host answers that it is ready, and measures how long that took.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      timeout: durationSchema('How long it may take; longer is a failure.', '5m'),
      already: {
        type: 'number',
        default: 0,
        description: 'Seconds the server was away before this task began; they count.',
      },
      settle: {
        type: 'integer',
        default: 2,
        minimum: 1,
        description: 'Good answers in a row that are needed: a server that starts can answer once and go away again.',
      },
    },
  },
  waits: { inCheck: 'unless-pending', what: (args) => `the API server of the host, for at most ${args.timeout}` },
  examples: [
    { title: 'After a restart', yaml: 'wait-server: { timeout: 5m }' },
    {
      title: 'With the time it was down already',
      yaml: 'wait-server: { timeout: 5m, already: "{{ install.downtime_seconds }}" }',
    },
  ],
  kind: 'check',
  returns: {
    type: 'object',
    properties: {
      recovery_seconds: { type: 'number', description: 'From the moment it went away until it was ready again.' },
    },
  },
  async plan(args, target) {
    const limit = durationOf(args.timeout, 'timeout');
    const started = Date.now() - args.already * 1000;
    let good = 0;
    let readySince = 0;
    let detail = '';
    for (;;) {
      const answer = await target.serverReady();
      const now = Date.now();
      if (answer.ready && good === 0) readySince = now;
      good = answer.ready ? good + 1 : 0;
      const seconds = Math.round((readySince - started) / 100) / 10;
      if (good >= args.settle) {
        if (readySince - started > limit) throw tooLate(seconds, limit);
        return { changes: [], facts: { recovery_seconds: seconds }, message: `ready after ${seconds} s` };
      }
      if (!answer.ready && answer.detail !== detail) {
        detail = answer.detail;
        target.progress(`not ready: ${detail}`);
      }
      if (good === 0 && now - started > limit) throw notReady(limit, detail);
      await target.sleep(PAUSE);
    }
  },
});

function tooLate(seconds: number, limit: number): TaskFailure {
  return new TaskFailure(`the API server was ready after ${seconds} s; the limit is ${limit / 1000} s`, {
    code: 'recovery-limit',
    facts: { recovery_seconds: seconds },
  });
}

function notReady(limit: number, detail: string): TaskFailure {
  return new TaskFailure(`the API server is not ready after ${limit / 1000} s: ${detail}`, {
    code: 'recovery-limit',
    hint: 'look at the unit on the host: journalctl -u k3s',
  });
}
