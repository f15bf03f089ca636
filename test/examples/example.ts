import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modules } from '../../modules/index.ts';
import { runbook } from '../../runner/cli/runbook/runbook.ts';
import type { RunEvent } from '../../runner/events.ts';
import { loadPlaybook } from '../../runner/playbook/parse.ts';
import { actionLog } from '../../runner/report/action-log/action-log.ts';
import { html } from '../../runner/report/html/html.ts';
import { recordOf } from '../../runner/report/record.ts';
import type { RunHeader } from '../../runner/run-header.ts';

export const FOLDER = fileURLToPath(new URL('../../docs/examples', import.meta.url));
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PLAYBOOK = 'playbooks/upgrade-k3s.yaml';
export const VERSION = 'v1.31.5+k3s1';

/** The journal that the examples are made from: of a run in the lab, with what differs from run to run made stable. */
export function readExample(): { header: RunHeader; events: RunEvent[] } {
  const header = JSON.parse(readFileSync(join(FOLDER, 'run.json'), 'utf8')) as RunHeader;
  const lines = readFileSync(join(FOLDER, 'events.jsonl'), 'utf8').trim().split('\n');
  return { header, events: lines.map((line) => JSON.parse(line) as RunEvent) };
}

/** Every example that is made from the journal and the playbook, by the name of its file. */
export function renderExamples(): Record<string, string> {
  const { header, events } = readExample();
  const playbook = loadPlaybook(join(ROOT, PLAYBOOK), modules);
  const defaults = Object.entries(playbook.inputs).map(([name, spec]) => [name, spec.default]);
  const inputs = { ...Object.fromEntries(defaults), version: VERSION };
  return {
    'action-log.md': actionLog(header, recordOf(events)),
    'report.html': html(header, recordOf(events)),
    'runbook.md': runbook(playbook, { file: PLAYBOOK, inputs, given: [`version=${VERSION}`] }),
  };
}
