/**
 * `npm run examples`: upgrades a lab with the real command line and makes `docs/examples/` from its journal.
 * `npm run examples -- --render` makes the reports anew from the journal that is there.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRun } from '../../runner/journal/folder.ts';
import { readJournal } from '../../runner/journal/read.ts';
import { startLab } from '../lab/lab.ts';
import { upgradeProcess } from '../upgrade/support/cli.ts';
import { FOLDER, ROOT, renderExamples, VERSION } from './example.ts';
import { stableRun } from './stable.ts';

async function record(): Promise<void> {
  const runs = mkdtempSync(join(tmpdir(), 'reeve-examples-'));
  process.env.REEVE_RUNS = runs;
  try {
    // k3s takes its time, as it does in life: what asks once a second has something to see.
    await using lab = await startLab({ servers: 1, agents: 2, version: 'v1.30.4+k3s1', startMs: 3_000 });
    const { exitCode } = await upgradeProcess(lab, { version: VERSION });
    if (exitCode !== 0) throw new Error(`the upgrade of the lab ended with ${exitCode}`);
    const folder = findRun(runs, 'last');
    const { header, events } = stableRun(folder.readHeader(), readJournal(folder.events).events, ROOT);
    writeFileSync(join(FOLDER, 'run.json'), `${JSON.stringify(header, undefined, 2)}\n`);
    writeFileSync(join(FOLDER, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  } finally {
    rmSync(runs, { recursive: true, force: true });
  }
}

if (!process.argv.includes('--render')) await record();
for (const [file, text] of Object.entries(renderExamples())) {
  writeFileSync(join(FOLDER, file), text);
  console.log(`docs/examples/${file}`);
}
