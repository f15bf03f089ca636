/*
 * Loaded into the measured process by `node --import`: counts and delays its disk syncs, and notes the longest time its
 * event loop stood still once it had begun to connect: by the clock, and what of it the thread itself worked. The figures
 * go to the file BENCH_PROBE when it ends.
 */
import diagnostics from 'node:diagnostics_channel';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const delay = Number(process.env.BENCH_SYNC_DELAY ?? 0);
const found = { syncs: 0, blocked: 0, stood: 0 };

for (const name of ['fsync', 'fdatasync'] as const) {
  const plain = fs[name];
  const counted = (descriptor: number, done: (error?: Error | null) => void) => {
    found.syncs++;
    plain(descriptor, (error) => (delay ? setTimeout(done, delay, error) : done(error)));
  };
  Object.assign(fs, { [name]: Object.assign(counted, { __promisify__: plain.__promisify__ }) });
}
for (const name of ['fsyncSync', 'fdatasyncSync'] as const) {
  const plain = fs[name];
  fs[name] = (descriptor) => {
    found.syncs++;
    plain(descriptor);
    if (delay) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay);
  };
}
syncBuiltinESMExports();

const TICK = 5;
diagnostics.subscribe('net.client.socket', function first() {
  diagnostics.unsubscribe('net.client.socket', first);
  let last = performance.now();
  let used = process.threadCpuUsage();
  setInterval(() => {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(used);
    const stood = now - last - TICK;
    found.stood = Math.max(found.stood, stood);
    // While others have the processor the loop stands still too; that is not its fault.
    found.blocked = Math.max(found.blocked, Math.min(stood, (user + system) / 1000));
    last = now;
    used = process.threadCpuUsage();
  }, TICK).unref();
});

process.on('exit', () => {
  if (process.env.BENCH_PROBE) fs.writeFileSync(process.env.BENCH_PROBE, JSON.stringify(found));
});
