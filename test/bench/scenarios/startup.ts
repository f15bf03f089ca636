import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { hasAnsible, REEVE } from '../contenders.ts';
import { type Cost, measureGood, medians } from '../measure.ts';
import { milliseconds, type Section } from '../report.ts';

/** Five: what it takes to start. */
export async function startup(bench: Bench): Promise<Section> {
  const folder = bench.place('startup');
  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const playbook = join(import.meta.dirname, '../../../playbooks/upgrade-k3s.yaml');
  const task = 'assert: { that: "1 == 1" }';
  const reeve = put('r.yaml', `name: n\nplays:\n  - name: n\n    hosts: localhost\n    tasks:\n      - ${task}\n`);
  const ansible = put(
    'a.yaml',
    `- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n    - ${task}\n`,
  );
  const commands: [string, string, string[]][] = [
    ['version', 'node alone', [process.execPath, '-e', '0']],
    ['version', 'reeve', [...REEVE, '--version']],
    ['upgrade-k3s.yaml checked', 'reeve', [...REEVE, 'validate', playbook]],
    ['no-op run on localhost', 'reeve', [...REEVE, 'run', reeve]],
  ];
  if (hasAnsible) {
    commands.push(['version', 'Ansible', ['ansible-playbook', '--version']]);
    commands.push(['no-op run on localhost', 'Ansible', ['ansible-playbook', ansible]]);
    commands.push(['syntax of a play checked', 'Ansible', ['ansible-playbook', '--syntax-check', ansible]]);
  }
  const found = commands.map(() => [] as Cost[]);
  for (let round = 0; round < bench.runs; round++) {
    for (const [at, [, , argv]] of commands.entries()) {
      found[at]!.push(await measureGood(argv, { REEVE_RUNS: join(folder, 'runs') }, folder));
    }
  }
  const rows = commands.map(([what, who], at) => {
    const { wall, cpu } = medians(found[at]!);
    return [what, who, milliseconds(wall * 1000), milliseconds(cpu * 1000)];
  });
  return { title: '5. Starting', text: 'Medians.', columns: ['what', 'contender', 'wall', 'CPU'], rows };
}
