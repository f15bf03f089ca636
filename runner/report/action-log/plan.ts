import { isDeepStrictEqual } from 'node:util';
import type { RunHeader } from '../../run-header.ts';
import { firstEffect, isCheck, passed } from '../cluster-story.ts';
import type { RunRecord, TaskRecord } from '../record.ts';
import { shownValue } from '../what-ran.ts';
import { grouped, hostNames, hostsOf } from './alike.ts';
import { clock, code, plainText, tick } from './markdown.ts';

/** Modules whose change takes something away for a while. */
const DISRUPTIVE = new Set(['drain', 'install-script', 'reboot', 'service', 'etcd-restore']);

/** What the run was for, what had to hold first, what could go wrong. */
export function planSection(header: RunHeader, record: RunRecord): string[] {
  return [
    ...['## Operation Plan', ''],
    ...objective(header, record),
    ...prerequisites(record),
    ...risk(header, record),
  ];
}

function objective(header: RunHeader, record: RunRecord): string[] {
  const { started, plays } = record;
  const steps = plays
    .filter(({ hosts }) => hosts.length > 0)
    .map(({ name, hosts, batches }, index) => {
      const serial = batches > 1 ? `, in ${batches} batches` : '';
      return `${index + 1}. ${plainText(name)}: ${hostNames(hosts)}${serial}`;
    });
  const inputs = Object.entries(started?.inputs ?? header.inputs).filter(([, value]) => value !== '');
  const values = [
    ...inputs.map(([name, value]) => `- ${code(`${name}: ${shownValue(value)}`)}`),
    ...header.secretInputs.map((name) => `- ${code(name)} (secret)`),
    ...Object.entries(header.extraVars).map(([name, value]) => `- ${code(`${name}: ${shownValue(value)}`)} (variable)`),
    ...givenSince(header, record),
  ];
  return [
    ...['### Objective', '', plainText(started?.description ?? started?.name ?? header.playbook.name), ''],
    ...(steps.length > 0 ? [...steps, ''] : []),
    ...(values.length > 0 ? ['Inputs:', '', ...values, ''] : []),
  ];
}

/** What a resume was given in the place of what the run had. */
function givenSince(header: RunHeader, { started, givenAnew }: RunRecord): string[] {
  let known: Record<string, unknown> = { ...header.inputs, ...started?.inputs, ...header.extraVars };
  return givenAnew.flatMap(({ at, inputs, extraVars }) => {
    const now: Record<string, unknown> = { ...inputs, ...extraVars };
    const other = Object.entries(now).filter(([name, value]) => !isDeepStrictEqual(value, known[name]));
    known = now;
    return other.map(
      ([name, value]) => `- ${code(`${name}: ${shownValue(value)}`)} since the resume at ${clock(at)} UTC`,
    );
  });
}

function prerequisites(record: RunRecord): string[] {
  const first = firstEffect(record);
  const before = record.tasks.filter((task) => isCheck(task) && (first === undefined || task.startedAt < first));
  const lines = checklist(before);
  return lines.length === 0 ? [] : ['### Prerequisites Checklist', '', ...lines, ''];
}

/** Checks by what they are called: ticked when all hosts passed, open with the hosts that did not. */
export function checklist(checks: readonly TaskRecord[]): string[] {
  return grouped(checks, ({ task }) => task.name).flatMap((alike) => {
    const made = alike.filter((one) => passed(one) !== undefined);
    if (made.length === 0) return [];
    const bad = made.filter((one) => !passed(one));
    const said = bad.length === 0 ? saidBy(made) : (bad[0]!.ended?.message ?? '').split('\n', 1)[0]!;
    const where = bad.length === 0 ? hostsOf(made) : `not on ${hostsOf(bad)}`;
    return [
      tick(bad.length === 0, `${plainText(alike[0]!.task.name)} (${where})${said ? `: ${plainText(said)}` : ''}`),
    ];
  });
}

/** What all said alike, or what the only one said. */
function saidBy(records: readonly TaskRecord[]): string {
  const said = new Set(
    records.map(({ ended, host }) => (ended?.message ?? '').split('\n', 1)[0]!.replaceAll(host, 'HOST')),
  );
  if (records.length === 1) return (records[0]!.ended?.message ?? '').split('\n', 1)[0]!;
  return said.size === 1 ? [...said][0]! : '';
}

function risk(header: RunHeader, record: RunRecord): string[] {
  const effects = record.tasks.filter(({ effects }) => effects.length > 0);
  if (effects.length === 0) {
    const why = header.options.check ? 'it was a check and wrote nothing' : 'nothing was written';
    return ['### Risk Assessment', '', `- **Risk Level**: Low: ${why}`, ''];
  }
  const disruptive = effects.filter(({ task }) => DISRUPTIVE.has(task.module));
  const width = Math.max(
    0,
    ...record.plays
      .filter(({ play }) => disruptive.some((one) => one.play === play))
      .flatMap(({ batchRecords }) => batchRecords.map(({ hosts }) => hosts.length)),
  );
  const isRecorded = (one: TaskRecord) => one.effects.every(({ undo, ok }) => undo || ok === undefined);
  const recorded = effects.filter(isRecorded);
  const left = effects.filter((one) => !isRecorded(one));
  const names = [...new Set(left.map(({ task }) => task.name))].map(plainText).join(', ');
  return [
    ...['### Risk Assessment', ''],
    `- **Risk Level**: ${riskLevel(disruptive, width)}`,
    `- **Impact if Failed**: ${disruptive.length === 0 ? 'files and settings of the hosts above' : `services and pods of ${hostsOf(disruptive)}`}; a failed batch stops those after it`,
    `- **Rollback Plan**: ${recorded.length === 0 ? 'No' : `Yes: ${code(`reeve rollback ${header.run}`)}`}; ${recorded.length} of ${effects.length} changes recorded how to take them back${names ? `. Not: ${names}` : ''}`,
    '',
  ];
}

/** By what can be away, and of how many hosts at a time. */
function riskLevel(disruptive: readonly TaskRecord[], width: number): string {
  if (disruptive.length === 0) return 'Low: no node, service or machine was stopped';
  const modules = [...new Set(disruptive.map(({ task }) => task.module))].map(code).join(', ');
  return width <= 1 ? `Medium: ${modules}, one host at a time` : `High: ${modules}, on ${width} hosts at a time`;
}
