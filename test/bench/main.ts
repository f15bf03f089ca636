import { parseArgs } from 'node:util';
import { openBench } from './bench.ts';
import { CONTENDERS } from './contenders.ts';
import { plain } from './report.ts';
import { crowd } from './scenarios/crowd.ts';
import { delayed } from './scenarios/delay.ts';
import { files } from './scenarios/files.ts';
import { mixed } from './scenarios/mixed.ts';
import { startup } from './scenarios/startup.ts';
import { syncs } from './scenarios/syncs.ts';

const SCENARIOS = { mixed, delayed, crowd, files, startup, syncs } as const;

const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean' },
    only: { type: 'string' },
    contenders: { type: 'string' },
    runs: { type: 'string' },
  },
});
const smoke = values.smoke === true;
const contenders = CONTENDERS.filter(({ name }) => values.contenders?.split(',').includes(name.toLowerCase()) ?? true);
const bench = await openBench({ smoke, contenders, runs: Number(values.runs ?? (smoke ? 1 : 9)) });
try {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (values.only && !values.only.split(',').includes(name)) continue;
    bench.note(name);
    process.stdout.write(`${plain(await scenario(bench))}\n`);
  }
} finally {
  await bench.close();
}
