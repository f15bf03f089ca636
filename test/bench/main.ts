import { parseArgs } from 'node:util';
import { openBench } from './bench.ts';
import { CONTENDERS } from './contenders.ts';
import { writeDocument } from './document.ts';
import { plain } from './report.ts';
import { containers } from './scenarios/containers.ts';
import { crowd } from './scenarios/crowd.ts';
import { delayed } from './scenarios/delay.ts';
import { files } from './scenarios/files.ts';
import { inventory } from './scenarios/inventory.ts';
import { mixed } from './scenarios/mixed.ts';
import { processes } from './scenarios/processes.ts';
import { rendering } from './scenarios/rendering.ts';
import { startup } from './scenarios/startup.ts';
import { syncs } from './scenarios/syncs.ts';

const SCENARIOS = {
  mixed,
  processes,
  delayed,
  crowd,
  containers,
  files,
  startup,
  syncs,
  inventory,
  rendering,
} as const;

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
    const section = await scenario(bench);
    process.stdout.write(`${plain(section)}\n`);
    // After each, so that a long benchmark that is ended early has not been in vain.
    if (!smoke) writeDocument([section]);
  }
} finally {
  await bench.close();
}
