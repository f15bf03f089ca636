/**
 * `npm run test:stress`: the tests again and again, files side by side in random order, while every processor is kept busy.
 * What fails here and passes on a quiet machine depends on time. Options: --rounds N (3), --seed N (of the first round),
 * --all (what `npm run test:all` runs); what else is given goes to vitest, such as a file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../support/program.ts';

interface Failure {
  seed: number;
  file: string;
  name: string;
  message: string;
}
/** What is read of vitest's JSON report. */
interface Report {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[];
  }[];
}

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' }, all: { type: 'boolean' } },
  allowPositionals: true,
});
const rounds = Number(values.rounds ?? 3);
const first = Number(values.seed ?? randomInt(2 ** 31 - rounds));

const folder = mkdtempSync(join(tmpdir(), 'reeve-stress-'));
const load = keepBusy();
const failures: Failure[] = [];
try {
  for (let round = 0; round < rounds; round++) failures.push(...(await runOnce(round + 1, first + round)));
} finally {
  for (const one of load) one.stdin?.end();
  rmSync(folder, { recursive: true, force: true });
}
for (const { seed, file, name, message } of failures) {
  console.log(`failed with seed ${seed}: ${file}: ${name}\n    ${message.split('\n', 3).join('\n    ')}`);
}
console.log(
  failures.length === 0
    ? `${rounds} rounds under load, seeds ${first} to ${first + rounds - 1}: all green`
    : `${failures.length} failed in ${rounds} rounds; again with: npm run test:stress -- --rounds 1 --seed SEED`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

/** One process a processor; each ends with its input. */
function keepBusy(): ChildProcess[] {
  const script = join(import.meta.dirname, 'load.ts');
  return Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'inherit'] }),
  );
}

async function runOnce(round: number, seed: number): Promise<Failure[]> {
  const began = performance.now();
  const file = join(folder, `${seed}.json`);
  const code = await vitest(file, seed);
  const found = code === 0 ? [] : failuresIn(file, seed);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`round ${round} of ${rounds}, seed ${seed}: ${code === 0 ? 'green' : 'red'} after ${seconds} s`);
  return found;
}

function vitest(outputFile: string, seed: number): Promise<number | null> {
  const mode = values.all ? ['--mode', 'all'] : [];
  const reporters = ['--reporter=json', `--outputFile=${outputFile}`, '--silent=true'];
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...mode, ...reporters, ...positionals],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, REEVE_TEST_ORDER: `${seed}` } },
  );
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}

function failuresIn(file: string, seed: number): Failure[] {
  if (!existsSync(file))
    return [{ seed, file: 'vitest', name: 'ended without a report', message: 'its error is above' }];
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  return testResults.flatMap(({ name: path, status, message = '', assertionResults }) => {
    const failed = assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => ({ name: test.fullName, message: test.failureMessages?.[0] ?? '' }));
    // A file that could not be run at all has no tests.
    const all = failed.length > 0 || status !== 'failed' ? failed : [{ name: 'the file itself', message }];
    return all.map((one) => ({ seed, file: relative(ROOT, path), ...one }));
  });
}
