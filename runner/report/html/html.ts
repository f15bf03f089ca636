import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RunHeader } from '../../run-header.ts';
import { statusOf } from '../action-log/header.ts';
import { controlPlanes } from '../control-plane.ts';
import { named } from '../names.ts';
import { durationOf, type RunRecord } from '../record.ts';
import { shownDuration } from '../time.ts';
import { pageData, STATUSES } from './data.ts';
import { escapeHtml } from './escape.ts';
import { leftOver, sections } from './sections.ts';
import { STYLE } from './style.ts';

/**
 * The run as one HTML file that loads nothing from anywhere: a timeline for each host, tasks to filter and search, diffs,
 * outputs. It can be used with the keyboard alone, and in the dark. Its content policy forbids all but its own script.
 */
export function html(header: RunHeader, record: RunRecord): string {
  const script = readFileSync(new URL('./page.js', import.meta.url), 'utf8');
  const name = record.started?.name ?? header.playbook.name;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${hash(STYLE)}'; script-src '${hash(script)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${name}: ${statusOf(record)}`)}</title>
<style>${STYLE}</style>
</head>
<body>
${top(header, record, name)}
<main>
${leftOver(record)}
${taskSection(record)}
${sections(header, record)}
</main>
<div id="tip"></div>
${HELP}
<script type="application/json" id="data">${jsonForHtml(pageData(record))}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** JSON that cannot end the script element it stands in. */
function jsonForHtml(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

function top(header: RunHeader, record: RunRecord, name: string): string {
  const outcome = record.ended?.outcome;
  const color = outcome === 'done' ? 'ok' : outcome === undefined ? 'unfinished' : 'failed';
  const hosts = [...new Set(record.plays.flatMap((play) => play.hosts))];
  const facts: [string, string][] = [
    ['Run', header.run],
    ['Playbook', header.playbook.file],
    ['Operator', `${header.operator.user} on ${header.operator.host}`],
    ['Started', `${(record.started?.at ?? header.startedAt).slice(0, 19).replace('T', ' ')} UTC`],
    ['Took', shownDuration(durationOf(record))],
    ['Hosts', `${hosts.length}: ${named(hosts)}`],
    ...(header.git
      ? [['Commit', `${header.git.commit.slice(0, 12)}${header.git.dirty ? ' (dirty)' : ''}`] as [string, string]]
      : []),
  ];
  const message = record.ended?.message ? `<p class="status-failed">${escapeHtml(record.ended.message)}</p>` : '';
  return `<header>
<h1>${escapeHtml(name)} <span class="pill status-${color}">${escapeHtml(statusOf(record))}</span></h1>
${message}<dl class="facts">${facts.map(([key, value]) => `<div><dt>${key}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>
</header>`;
}

function taskSection(record: RunRecord): string {
  const { tasks } = record;
  const isAway = controlPlanes(record).some(({ away }) => away.length > 0);
  const buttons = STATUSES.map((status) => ({ status, count: tasks.filter((task) => task.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(
      ({ status, count }) =>
        `<button type="button" class="status-${status}" data-status="${status}" aria-pressed="true">${status} ${count}</button>`,
    );
  return `<section aria-labelledby="tasks-title">
<h2 id="tasks-title">Tasks</h2>
<div class="toolbar">
<input type="search" id="search" placeholder="Search host, task, message ( / )" aria-label="Search tasks">
${buttons.join('\n')}
<button type="button" id="clear-host" hidden></button>
<span id="count" class="dim" role="status"></span>
<button type="button" id="theme">Light / dark</button>
<button type="button" id="keys">Keys</button>
</div>
<div id="timeline"><div class="space"></div><canvas role="img" aria-label="Timeline of the hosts; the list below has the same tasks"></canvas></div>
<p class="dim">${isAway ? 'Shaded: the control plane did not answer.' : ''}</p>
<div class="split">
<div id="list" role="listbox" tabindex="0" aria-label="Tasks"><div class="space"></div></div>
<div id="detail" role="region" aria-live="polite" aria-label="The selected task" tabindex="0"><p class="dim">Select a task to see what it did.</p></div>
</div>
<noscript><p>This page needs its own script to show the tasks; the action log has them as text.</p></noscript>
</section>`;
}

const KEYS: [string, string][] = [
  ['↓ ↑ or j k', 'next and previous task'],
  ['PgDn PgUp Home End', 'further'],
  ['f', 'next failure'],
  ['h', 'only the host of this task, and back'],
  ['/', 'search'],
  ['d', 'light or dark'],
  ['Esc', 'show everything'],
  ['?', 'these keys'],
];
const HELP = `<dialog id="help" aria-label="Keys"><h2>Keys</h2><table>${KEYS.map(
  ([keys, what]) => `<tr><td><kbd>${keys}</kbd></td><td>${what}</td></tr>`,
).join('')}</table><button type="button" id="close-help">Close</button></dialog>`;
