import { setTimeout as wait } from 'node:timers/promises';
import { treeReporter } from '../../runner/report/tree/tree.ts';
import { playSyntheticRun } from './synthetic-run.ts';

// node test/support/show-synthetic.ts HOSTS TASKS TASK_TIME [SERIAL] [FAILING,…]: draws a run that never was, and says on
// stderr what the drawing cost.
const [hosts = '3', tasks = '4', taskTime = '1000', serial = '', failing = ''] = process.argv.slice(2);
const reporter = treeReporter({
  verbose: false,
  diff: process.env.DIFF === '1',
  color: true,
  stdout: process.stdout,
  stderr: process.stderr,
});
const startedAt = process.hrtime.bigint();
const events = await playSyntheticRun(reporter, {
  hosts: Number(hosts),
  tasks: Number(tasks),
  taskTime: Number(taskTime),
  wait,
  ...(serial ? { serial: Number(serial) } : {}),
  ...(failing ? { failing: failing.split(',').map(Number) } : {}),
});
await reporter.close?.();
const cpu = process.cpuUsage();
const wall = Number(process.hrtime.bigint() - startedAt) / 1e6;
console.error(`events ${events}, wall ${Math.round(wall)} ms, cpu ${Math.round((cpu.user + cpu.system) / 1000)} ms`);
