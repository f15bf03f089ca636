import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { measureGood } from '../measure.ts';
import { type Section, seconds } from '../report.ts';
import type { Workload } from '../workload.ts';

/** Four: one big file to ten hosts, and many small ones to one. */
export async function files(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  const megabytes = bench.smoke ? 2 : 50;
  const many = bench.smoke ? 20 : 2_000;
  for (const big of [true, false]) {
    const folder = bench.place(big ? 'big' : 'small');
    if (big) writeFileSync(join(folder, 'source'), randomBytes(megabytes * 1024 * 1024));
    else mkdirSync(join(folder, 'source'));
    if (!big)
      for (let n = 0; n < many; n++)
        writeFileSync(join(folder, 'source', `file-${n}`), `the content of file ${n}\n`.repeat(20));
    const hosts = bench.hosts(folder, big ? (bench.smoke ? 2 : 10) : 1);
    const task = 'copy: { src: source, dest: "{{ base }}/copied" }';
    const workload: Workload = {
      folder,
      reeve: join(folder, 'r.yaml'),
      ansible: join(folder, 'a.yaml'),
      script: join(folder, 's.sh'),
    };
    writeFileSync(workload.reeve, `name: b\nplays:\n  - name: b\n    hosts: all\n    tasks:\n      - { ${task} }\n`);
    writeFileSync(workload.ansible, `- hosts: all\n  gather_facts: false\n  tasks:\n    - ${task}\n`);
    const what = big ? `${megabytes} MB to ${hosts.names.length} hosts` : `${many} files to one host`;
    for (const contender of bench.contenders) {
      // Nobody copies by a script on standard input; two thousand files take Ansible half an hour.
      if (contender.name === 'floor' || (!big && contender.name === 'Ansible')) continue;
      hosts.clean();
      const { argv, env, cwd } = contender.command(workload, hosts);
      for (const which of ['first', 'second']) {
        const { wall, cpu } = await measureGood(argv, env, cwd);
        rows.push([what, which, contender.name, seconds(wall), seconds(cpu)]);
      }
      bench.note(`  ${what}, ${contender.name}`);
    }
    hosts.clean();
    const plain = await measureGood(plainCopy(folder, hosts, big), {}, folder);
    rows.push([what, 'first', big ? 'cat over ssh' : 'tar over ssh', seconds(plain.wall), seconds(plain.cpu)]);
  }
  return {
    title: '4. Files',
    text: 'One big file, and a directory of many small ones. Beside them what a person would type.',
    columns: ['what', 'run', 'contender', 'wall', 'control CPU'],
    rows,
  };
}

function plainCopy(folder: string, hosts: ReturnType<Bench['hosts']>, big: boolean): string[] {
  const { keys, port, knownHosts } = hosts;
  const ssh = `ssh -F none -i ${keys.privateKey} -p ${port} -l ${keys.user} -o BatchMode=yes -o UserKnownHostsFile=${knownHosts}`;
  const list = join(folder, 'list');
  writeFileSync(list, hosts.names.map((name, n) => `${hosts.addresses[n]} ${hosts.base(name)}\n`).join(''));
  const one = big ? `${ssh} "$0" "cat >$1/copied" <source` : `tar -cf - source | ${ssh} "$0" "tar -xf - -C $1"`;
  return ['xargs', '-P', '50', '-a', list, '-n', '2', 'sh', '-c', one];
}
