import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../../../runner/events.ts';
import type { RunHeader } from '../../../runner/journal/folder.ts';
import { html } from '../../../runner/report/html/html.ts';
import { recordOf } from '../../../runner/report/record.ts';
import { playSyntheticRun } from '../../support/synthetic-run.ts';
import type { Bench } from '../bench.ts';
import { firstLine, hasAnsible, REEVE } from '../contenders.ts';
import { benchInventory, LARGE, type Size } from '../inventory.ts';
import { measureGood } from '../measure.ts';
import { type Section, seconds } from '../report.ts';

/** Seven: a big inventory, and a big report. */
export async function inventory(bench: Bench): Promise<Section> {
  const folder = bench.place('inventory');
  const count = bench.smoke ? 100 : 10_000;
  const names = Array.from({ length: count }, (_, n) => `node-${n}`);
  const hosts = names.map((name, n) => `    ${name}: { ansible_host: 10.0.${n >> 8}.${n & 255}, rack: ${n % 40} }\n`);
  const group = (n: number) =>
    `    rack${n}:\n      hosts:\n${names
      .filter((_, at) => at % 40 === n)
      .map((name) => `        ${name}:\n`)
      .join('')}`;
  const text = `all:\n  vars: { port: 22 }\n  hosts:\n${hosts.join('')}  children:\n${Array.from({ length: 40 }, (_, n) => group(n)).join('')}`;
  const own = join(folder, 'own.yaml');
  const other = join(folder, 'other.yaml');
  writeFileSync(own, `reeve: 1\n${text}`);
  writeFileSync(other, text);
  const rows: string[][] = [];
  rows.push(pureLoop());
  const size: Size = bench.smoke ? { hosts: 100, groups: 10, variables: 5 } : LARGE;
  for (const { form, ...cost } of benchInventory(size)) {
    const what = `${size.hosts} hosts in ${size.groups} groups, ${size.variables} variables each, every value resolved: ${form}`;
    rows.push([what, 'reeve', seconds(cost.seconds), seconds(cost.cpuSeconds), `${Math.round(cost.megabytes)} MB`]);
  }
  const add = async (what: string, who: string, argv: string[]) => {
    const { wall, cpu, memory } = await measureGood(argv);
    rows.push([what, who, seconds(wall), seconds(cpu), `${Math.round(memory)} MB`]);
  };
  await add(`${count} hosts listed with their variables`, 'reeve', [...REEVE, 'inventory', '-i', own, '--list']);
  if (hasAnsible)
    await add(`${count} hosts listed with their variables`, 'Ansible', ['ansible-inventory', '-i', other, '--list']);
  await addReport(bench, folder, rows, add);
  return {
    title: '7. A big inventory, a big report',
    text: 'The first row is a loop that does nothing but compute, for as long as one second of CPU takes: where the machine is shared its wall time is how much slower everything is in that minute. The report is opened in headless Chromium until its page is there, where Chromium is installed.',
    columns: ['what', 'contender', 'wall', 'CPU', 'peak memory'],
    rows,
  };
}

/** What a second of CPU takes by the clock, right now. */
function pureLoop(): string[] {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const used = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  let sum = 0;
  while (used() < 1) for (let n = 0; n < 100_000; n++) sum += n;
  const wall = (performance.now() - startedAt) / 1000;
  return ['a loop that only computes', sum > 0 ? 'the machine' : '', seconds(wall), seconds(used()), ''];
}

async function addReport(
  bench: Bench,
  folder: string,
  rows: string[][],
  add: (what: string, who: string, argv: string[]) => Promise<void>,
): Promise<void> {
  const events: RunEvent[] = [];
  const size = bench.smoke ? { hosts: 10, tasks: 4 } : { hosts: 500, tasks: 50 };
  await playSyntheticRun(
    { handle: (event) => void events.push(event) },
    { ...size, taskTime: 0, wait: async () => {} },
  );
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const page = html(HEADER, recordOf(events));
  const { user, system } = process.cpuUsage(cpuBefore);
  const what = `report of ${size.hosts} hosts × ${size.tasks} tasks`;
  const megabytes = (page.length / 1024 / 1024).toFixed(1);
  rows.push([
    `${what}: made (${megabytes} MB)`,
    'reeve',
    seconds((performance.now() - startedAt) / 1000),
    seconds((user + system) / 1e6),
    '',
  ]);
  const file = join(folder, 'report.html');
  writeFileSync(file, page);
  const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => firstLine(name, '--version'));
  if (!chromium || bench.smoke) return;
  const open = (url: string) => [chromium, '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom', url];
  await add('Chromium with an empty page', '', open('about:blank'));
  await add(`${what}: usable in Chromium`, 'reeve', open(`file://${file}`));
}

const HEADER: RunHeader = {
  version: 1,
  run: 'synthetic',
  startedAt: new Date(0).toISOString(),
  reeve: '0',
  node: process.version,
  playbook: { file: 'synthetic.yaml', name: 'Synthetic run' },
  files: [],
  inventory: [],
  inputs: {},
  secretInputs: [],
  extraVars: {},
  options: { check: false, diff: false, forks: 50, tags: [], skipTags: [] },
  operator: { user: 'bench', host: 'bench', cwd: '/' },
};
