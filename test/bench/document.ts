import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { firstLine, REEVE } from './contenders.ts';
import { markdown, type Section } from './report.ts';

const FILE = join(import.meta.dirname, '../../docs/benchmarks.md');

/** Puts sections into docs/benchmarks.md in place of those with the same title; the others, measured earlier, stay. */
export function writeDocument(sections: readonly Section[]): void {
  const present = existsSync(FILE)
    ? readFileSync(FILE, 'utf8')
        .split(/^(?=## )/m)
        .slice(1)
    : [];
  const titleOf = (text: string) => text.slice(3, text.indexOf('\n'));
  const byTitle = new Map(present.map((text) => [titleOf(text), text.trimEnd()]));
  for (const section of sections)
    byTitle.set(section.title, `${markdown(section).trimEnd()}\n\nMeasured on ${today()}.`);
  const titles = [...byTitle.keys()].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  writeFileSync(FILE, `${head()}\n${titles.map((title) => `${byTitle.get(title)}\n`).join('\n')}`);
}

function head(): string {
  const versions = [
    ['reeve', firstLine(REEVE[0]!, ...REEVE.slice(1), '--version')],
    ['node', process.version],
    ['OpenSSH', openssh()],
    ['Ansible', firstLine('ansible-playbook', '--version')],
    ['Mitogen', firstLine('dpkg-query', '-W', '-f', '${Version}', 'ansible-mitogen')],
  ].filter(([, version]) => version);
  return `<!-- Written by \`npm run bench\`. -->
# Benchmarks

Everything runs over real SSH to an OpenSSH server on the same machine, which answers for every host; each host has a folder
of its own. Contenders run in turn, several times, and the figures are medians. The floor is
\`xargs -P 50 ssh HOST sh -s <script\`: one hand-written script a host that reads nothing first, writes without atomicity and
keeps nothing, so it does less than the others. The engineers' machine is shared: compare the figures of a row with each other,
not with those of another machine.

- Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}
${versions.map(([name, version]) => `- ${name}: ${version}`).join('\n')}

Ansible runs with pipelining, ControlPersist and 50 forks. \`npm run bench\` measures all of it anew, \`npm run bench -- --only
mixed,startup\` a part, \`npm run bench -- --smoke\` tries every scenario in its shortest form.
`;
}

/** Ours says its version on stderr. */
function openssh(): string | undefined {
  return firstLine('sh', '-c', 'ssh -V 2>&1');
}

const today = () => new Date().toISOString().slice(0, 10);
