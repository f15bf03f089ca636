/*
 * The engine alone: plans twenty tasks on many hosts in check mode, against targets that are a function of their script.
 * Run as `node planning.ts HOSTS`; prints one line of JSON.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modules } from '../../modules/index.ts';
import type { Connections, ShellRequest } from '../../runner/connect/types.ts';
import { Interrupt } from '../../runner/execute/interrupt.ts';
import { runPlaybook } from '../../runner/execute/run.ts';
import { loadInventory } from '../../runner/inventory/load.ts';
import { Emitter } from '../../runner/journal/emitter.ts';
import { Masker } from '../../runner/journal/masker.ts';
import type { RunResult } from '../../runner/module.ts';
import { loadPlaybook } from '../../runner/playbook/parse.ts';
import { checkArgs } from '../../runner/validate/args.ts';

const count = Number(process.argv[2]);
const KINDS = [
  'copy: { content: "{{ host.name }} has {{ n }}\\n", dest: "/etc/app/{{ n }}-NUMBER.conf", mode: "0644" }',
  'set-vars: { seenNUMBER: "{{ n }}" }',
  'assert: { that: "n >= 0 && host.name.size() > 0" }',
  'file: { path: "/srv/{{ host.name }}-NUMBER", state: absent }',
];

/** No file is there, below directories that are. */
function answer({ script }: ShellRequest): RunResult {
  const path = /reeve_probe '?([^' \n]+)/.exec(script)?.[1] ?? '';
  const parent = path.slice(0, path.lastIndexOf('/'));
  const fields = ['F', path, '', '', '', '', '', '', 'y', parent, '0022\nuid=0(root) gid=0(root)', ''];
  const stdout = Buffer.from(fields.map((field) => `${field}\0`).join(''));
  return { code: 0, stdout: stdout.toString(), stderr: '', raw: { stdout, stderr: Buffer.alloc(0) }, timedOut: false };
}

const folder = mkdtempSync(join(tmpdir(), 'reeve-planning-'));
try {
  const tasks = Array.from(
    { length: 20 },
    (_, n) => `      - ${KINDS[n % KINDS.length]!.replaceAll('NUMBER', `${n}`)}\n`,
  );
  const hosts = Array.from({ length: count }, (_, n) => `    node-${n}: { n: ${n} }\n`);
  writeFileSync(join(folder, 'p.yaml'), `name: p\nplays:\n  - name: p\n    hosts: all\n    tasks:\n${tasks.join('')}`);
  writeFileSync(join(folder, 'i.yaml'), `reeve: 1\nall:\n  hosts:\n${hosts.join('')}`);
  const playbook = loadPlaybook(join(folder, 'p.yaml'), modules);
  const inventory = loadInventory([join(folder, 'i.yaml')], folder);
  const connections = { run: async (_spec: unknown, _become: unknown, request: ShellRequest) => answer(request) };
  const masker = new Masker();
  let events = 0;
  const sink = {
    handle() {
      events++;
    },
  };
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const startedAt = performance.now();
  const used = process.cpuUsage();
  const outcome = await runPlaybook(
    {
      playbook,
      inventory,
      modules,
      settings: {
        check: true,
        diff: false,
        forks: 50,
        tags: [],
        skipTags: [],
        inputs: {},
        extraVars: {},
        startedAt: new Date(),
      },
      emitter: new Emitter('bench', [sink], masker),
      masker,
      connections: connections as unknown as Connections,
      checkArgs,
      confirm: async () => true,
      interrupt: new Interrupt(),
    },
    { playbook: 'p.yaml', reeve: 'bench' },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(used);
  const cpu = (user + system) / 1e6;
  globalThis.gc?.();
  const perHost = (process.memoryUsage().heapUsed - before) / count;
  console.log(JSON.stringify({ seconds, cpu, perHost, events, exitCode: outcome.exitCode }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
