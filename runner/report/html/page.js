// What the HTML report does in a browser. It draws what is in view only, so that 25,000 tasks are as quick as 25, and sets
// text, never HTML: nothing in a journal can become markup.
const data = JSON.parse(document.getElementById('data').textContent);
const STATUSES = ['ok', 'changed', 'skipped', 'unknown', 'failed', 'unreachable', 'unfinished'];
const SIGNS = { ok: '✓', changed: '●', skipped: '–', unknown: '?', failed: '✗', unreachable: '⚡', unfinished: '…' };
const ROW_HEIGHT = 26;
const LANE_HEIGHT = 18;
const AXIS_HEIGHT = 20;
const LABEL_WIDTH = 150;
/** Rows drawn above and below what is in view. */
const MARGIN = 10;
/** Members of a row. */
const [HOST, TASK, START, DURATION, STATUS, DETAIL] = [0, 1, 2, 3, 4, 5];

const byId = (id) => document.getElementById(id);
const list = byId('list');
const timeline = byId('timeline');
const canvas = timeline.querySelector('canvas');
const pen = canvas.getContext('2d');
const state = { text: '', host: undefined, off: new Set(), shown: [], selected: -1 };
const texts = new Map();

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function shownTime(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes}m ${String(Math.round((ms % 60_000) / 1000)).padStart(2, '0')}s`;
}

/** A round time, without what is nought in it: `2 s`, `1m 30s`, `2 h`. */
function shownMark(ms) {
  if (ms === 0) return '0';
  if (ms >= 3600e3 && ms % 3600e3 === 0) return `${ms / 3600e3} h`;
  if (ms >= 60e3 && ms % 60e3 === 0) return `${ms / 60e3} min`;
  return ms % 1000 === 0 && ms < 60e3 ? `${ms / 1000} s` : shownTime(ms);
}

function clock(ms) {
  return new Date(data.start + ms).toISOString().slice(11, 19);
}

// ---- Which tasks are shown

/** What a search looks at; made when a row is first searched. */
function textOf(index) {
  let text = texts.get(index);
  if (text === undefined) {
    const row = data.rows[index];
    const task = data.tasks[row[TASK]];
    const detail = data.details[row[DETAIL]] ?? {};
    text = [data.hosts[row[HOST]], task.name, task.module, STATUSES[row[STATUS]], detail.message, detail.command]
      .join('\n')
      .toLowerCase();
    texts.set(index, text);
  }
  return text;
}

function filter() {
  const words = state.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const before = state.shown[state.selected];
  state.shown = [];
  for (let index = 0; index < data.rows.length; index++) {
    const row = data.rows[index];
    if (state.off.has(row[STATUS])) continue;
    if (state.host !== undefined && row[HOST] !== state.host) continue;
    if (words.length > 0 && !words.every((word) => textOf(index).includes(word))) continue;
    state.shown.push(index);
  }
  state.selected = before === undefined ? -1 : state.shown.indexOf(before);
  byId('count').textContent = `${state.shown.length} of ${data.rows.length} tasks`;
  const clear = byId('clear-host');
  clear.hidden = state.host === undefined;
  clear.textContent = state.host === undefined ? '' : `host: ${data.hosts[state.host]} ×`;
  list.querySelector('.space').style.height = `${state.shown.length * ROW_HEIGHT}px`;
  list.scrollTop = state.selected < 0 ? 0 : list.scrollTop;
  drawList();
  drawTimeline();
}

// ---- The list

function drawList() {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW_HEIGHT) - MARGIN);
  const last = Math.min(state.shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW_HEIGHT) + MARGIN);
  const rows = [];
  for (let at = first; at < last; at++) rows.push(rowElement(at));
  for (const old of list.querySelectorAll('.row, .empty')) old.remove();
  if (state.shown.length === 0) rows.push(element('div', 'empty', 'No task fits this filter.'));
  list.append(...rows);
  if (state.selected >= first && state.selected < last)
    list.setAttribute('aria-activedescendant', `row-${state.selected}`);
  else list.removeAttribute('aria-activedescendant');
}

function rowElement(at) {
  const row = data.rows[state.shown[at]];
  const task = data.tasks[row[TASK]];
  const status = STATUSES[row[STATUS]];
  const made = element('div', 'row');
  made.id = `row-${at}`;
  made.style.top = `${at * ROW_HEIGHT}px`;
  made.setAttribute('role', 'option');
  made.setAttribute('aria-selected', String(at === state.selected));
  made.setAttribute('aria-posinset', String(at + 1));
  made.setAttribute('aria-setsize', String(state.shown.length));
  const message = data.details[row[DETAIL]]?.message ?? '';
  const sign = element('span', `status-${status}`, `${SIGNS[status]} `);
  sign.append(element('span', '', status));
  made.append(
    sign,
    element('span', '', data.hosts[row[HOST]]),
    element('span', '', task.name),
    element('span', 'dim', message.split('\n', 1)[0]),
    element('span', 'time', shownTime(row[DURATION])),
  );
  made.addEventListener('click', () => select(at));
  return made;
}

function select(at) {
  if (state.shown.length === 0) return;
  state.selected = Math.max(0, Math.min(state.shown.length - 1, at));
  const top = state.selected * ROW_HEIGHT;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW_HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW_HEIGHT - list.clientHeight;
  drawList();
  drawDetail(state.shown[state.selected]);
  showLane(data.rows[state.shown[state.selected]][HOST]);
  drawTimeline();
}

// ---- One task in full

function drawDetail(index) {
  const row = data.rows[index];
  const task = data.tasks[row[TASK]];
  const detail = data.details[row[DETAIL]] ?? {};
  const status = STATUSES[row[STATUS]];
  const parts = [element('h2', '', task.name)];
  const line = element('p');
  line.append(
    element('span', `pill status-${status}`, `${SIGNS[status]} ${status}${detail.how ? `, ${detail.how}` : ''}`),
    ` ${data.hosts[row[HOST]]}${detail.delegate ? ` on ${detail.delegate}` : ''}, ${clock(row[START])} UTC, ${shownTime(row[DURATION])}`,
  );
  parts.push(line, element('p', 'dim', [task.module, task.play, task.place].filter((text) => text).join(' · ')));
  const block = (title, text) => {
    if (!text) return;
    parts.push(element('h3', '', title), element('pre', '', text));
  };
  block('Message', detail.message);
  block('Hint', detail.hint);
  block('Warnings', detail.warnings?.join('\n'));
  block('Command', detail.command);
  for (const change of detail.changes ?? []) {
    parts.push(element('h3', '', `Change: ${change.summary}`));
    if (change.diff) parts.push(diffElement(change.diff));
  }
  block('Output', detail.output);
  block('Progress', detail.progress?.join('\n'));
  block('Tries', detail.retries?.join('\n'));
  block('Items', detail.items?.join('\n'));
  byId('detail').replaceChildren(...parts);
  byId('detail').scrollTop = 0;
}

function diffElement(diff) {
  const made = element('pre');
  for (const text of diff.split('\n')) {
    const kind = /^(\+\+\+|---|@@)/.test(text) ? 'hunk' : text[0] === '+' ? 'added' : text[0] === '-' ? 'removed' : '';
    made.append(element('span', kind, text));
  }
  return made;
}

// ---- The timeline: a lane for each host

const lanes = data.hosts.map(() => []);
data.rows.forEach((row, index) => {
  lanes[row[HOST]].push(index);
});
let colors = {};

/** Colours as the style has them at the moment, light or dark. */
function readColors() {
  const probe = element('span');
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  colors = Object.fromEntries(
    [...STATUSES, 'text', 'dim', 'line', 'panel', 'back', 'accent'].map((name) => [name, read(name)]),
  );
  probe.remove();
}

function scale() {
  return Math.max(1, canvas.clientWidth - LABEL_WIDTH - 8) / Math.max(1, data.length);
}

function drawTimeline() {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [timeline.clientWidth, timeline.clientHeight];
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = '12px system-ui, sans-serif';
  pen.textBaseline = 'middle';
  const first = Math.floor(timeline.scrollTop / LANE_HEIGHT);
  const last = Math.min(data.hosts.length, Math.ceil((timeline.scrollTop + height) / LANE_HEIGHT));
  drawAway(height);
  for (let host = first; host < last; host++)
    drawLane(host, AXIS_HEIGHT + host * LANE_HEIGHT - timeline.scrollTop, width);
  drawAxis(width);
}

/** When the control plane did not answer: a shade behind all lanes. */
function drawAway(height) {
  pen.fillStyle = colors.unreachable;
  pen.globalAlpha = 0.2;
  for (const [start, duration] of data.away)
    pen.fillRect(LABEL_WIDTH + start * scale(), AXIS_HEIGHT, Math.max(2, duration * scale()), height);
  pen.globalAlpha = 1;
}

/** The least round number of milliseconds that is no less: a step between two marks that people can count with. */
function roundStep(least) {
  const STEPS = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3,
  ];
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / 3600e3) * 3600e3;
}

function drawLane(host, top, width) {
  const selected = data.rows[state.shown[state.selected]];
  if (host === state.host || selected?.[HOST] === host) {
    pen.fillStyle = colors.panel;
    pen.globalAlpha = 0.6;
    pen.fillRect(0, top, width, LANE_HEIGHT);
    pen.globalAlpha = 1;
  }
  pen.fillStyle = colors.text;
  const name = data.hosts[host];
  pen.fillText(name.length > 22 ? `${name.slice(0, 21)}…` : name, 6, top + LANE_HEIGHT / 2);
  const perMs = scale();
  for (const index of lanes[host]) {
    const row = data.rows[index];
    const status = STATUSES[row[STATUS]];
    if (status === 'skipped' || state.off.has(row[STATUS])) continue;
    const left = LABEL_WIDTH + row[START] * perMs;
    const wide = Math.max(2, row[DURATION] * perMs);
    pen.fillStyle = colors[status];
    pen.fillRect(left, top + 3, wide, LANE_HEIGHT - 6);
    if (row === selected) {
      pen.strokeStyle = colors.accent;
      pen.lineWidth = 2;
      pen.strokeRect(left - 1, top + 2, wide + 2, LANE_HEIGHT - 4);
    }
  }
}

function drawAxis(width) {
  pen.fillStyle = colors.back;
  pen.fillRect(0, 0, width, AXIS_HEIGHT);
  pen.strokeStyle = colors.line;
  pen.lineWidth = 1;
  const perMs = scale();
  const step = roundStep(data.length / Math.max(1, Math.floor((width - LABEL_WIDTH) / 90)));
  pen.fillStyle = colors.dim;
  for (let ms = 0; ms <= data.length; ms += step) {
    const left = LABEL_WIDTH + ms * perMs;
    pen.fillText(`+${shownMark(ms)}`, left + 3, AXIS_HEIGHT / 2);
    pen.beginPath();
    pen.moveTo(left + 0.5, 0);
    pen.lineTo(left + 0.5, timeline.clientHeight);
    pen.stroke();
  }
}

function showLane(host) {
  const top = host * LANE_HEIGHT;
  const room = timeline.clientHeight - AXIS_HEIGHT;
  if (top < timeline.scrollTop) timeline.scrollTop = top;
  else if (top + LANE_HEIGHT > timeline.scrollTop + room) timeline.scrollTop = top + LANE_HEIGHT - room;
}

/** The task below the pointer, and its host. */
function under(event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const host = Math.floor((y - AXIS_HEIGHT + timeline.scrollTop) / LANE_HEIGHT);
  if (y < AXIS_HEIGHT || lanes[host] === undefined) return {};
  if (x < LABEL_WIDTH) return { host };
  const ms = (x - LABEL_WIDTH) / scale();
  const slack = 3 / scale();
  const index = lanes[host].findLast((one) => {
    const row = data.rows[one];
    return STATUSES[row[STATUS]] !== 'skipped' && ms >= row[START] - slack && ms <= row[START] + row[DURATION] + slack;
  });
  return { host, index };
}

canvas.addEventListener('mousemove', (event) => {
  const { index } = under(event);
  const tip = byId('tip');
  tip.style.display = index === undefined ? 'none' : 'block';
  if (index === undefined) return;
  const row = data.rows[index];
  tip.textContent = `${data.hosts[row[HOST]]}: ${data.tasks[row[TASK]].name} — ${STATUSES[row[STATUS]]}, ${shownTime(row[DURATION])}`;
  tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${event.clientY + 14}px`;
});
canvas.addEventListener('mouseleave', () => {
  byId('tip').style.display = 'none';
});
canvas.addEventListener('click', (event) => {
  const { host, index } = under(event);
  if (index === undefined) {
    if (host !== undefined) setHost(state.host === host ? undefined : host);
    return;
  }
  if (!state.shown.includes(index)) reset();
  select(state.shown.indexOf(index));
});

// ---- What a person does

function setHost(host) {
  state.host = host;
  filter();
}

function reset() {
  state.text = '';
  byId('search').value = '';
  state.host = undefined;
  state.off.clear();
  for (const button of document.querySelectorAll('[data-status]')) button.setAttribute('aria-pressed', 'true');
  filter();
}

function nextFailure() {
  const isBad = (index) => ['failed', 'unreachable', 'unfinished'].includes(STATUSES[data.rows[index][STATUS]]);
  const after = state.shown.findIndex((index, at) => at > state.selected && isBad(index));
  const next = after >= 0 ? after : state.shown.findIndex(isBad);
  if (next >= 0) select(next);
}

function toggleTheme() {
  const isDark =
    getComputedStyle(document.documentElement).colorScheme === 'dark' ||
    (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = isDark ? 'light' : 'dark';
  readColors();
  drawTimeline();
}

const page = () => Math.max(1, Math.floor(list.clientHeight / ROW_HEIGHT) - 1);
const KEYS = {
  ArrowDown: () => select(state.selected + 1),
  j: () => select(state.selected + 1),
  ArrowUp: () => select(state.selected - 1),
  k: () => select(state.selected - 1),
  PageDown: () => select(state.selected + page()),
  PageUp: () => select(state.selected - page()),
  Home: () => select(0),
  End: () => select(state.shown.length - 1),
  f: nextFailure,
  h: () =>
    state.selected >= 0 && setHost(state.host === undefined ? data.rows[state.shown[state.selected]][HOST] : undefined),
  d: toggleTheme,
  '/': () => byId('search').focus(),
  '?': () => byId('help').showModal(),
  Escape: reset,
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
  if (event.target === byId('search')) {
    if (event.key === 'Escape' || event.key === 'Enter' || event.key === 'ArrowDown') {
      if (event.key === 'Escape') reset();
      list.focus();
      if (state.selected < 0) select(0);
      event.preventDefault();
    }
    return;
  }
  const isButton = event.target.closest?.('button, summary, a') && (event.key === 'Enter' || event.key === ' ');
  const inDetail = event.target.closest?.('#detail') && /^(Arrow|Page|Home|End)/.test(event.key);
  const act = KEYS[event.key];
  if (!act || isButton || inDetail) return;
  event.preventDefault();
  act();
});

let waiting;
byId('search').addEventListener('input', (event) => {
  state.text = event.target.value;
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(filter);
});
for (const button of document.querySelectorAll('[data-status]')) {
  button.addEventListener('click', () => {
    const status = STATUSES.indexOf(button.dataset.status);
    const isOn = state.off.delete(status);
    if (!isOn) state.off.add(status);
    button.setAttribute('aria-pressed', String(isOn));
    filter();
  });
}
byId('clear-host').addEventListener('click', () => setHost(undefined));
byId('theme').addEventListener('click', toggleTheme);
byId('keys').addEventListener('click', () => byId('help').showModal());
byId('close-help').addEventListener('click', () => byId('help').close());
list.addEventListener('scroll', drawList);
timeline.addEventListener('scroll', drawTimeline);
window.addEventListener('resize', () => {
  drawList();
  drawTimeline();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  readColors();
  drawTimeline();
});

timeline.style.height = `min(38vh, ${AXIS_HEIGHT + data.hosts.length * LANE_HEIGHT + 6}px)`;
timeline.querySelector('.space').style.height = `${AXIS_HEIGHT + data.hosts.length * LANE_HEIGHT}px`;
readColors();
filter();
nextFailure();
// Milliseconds from opening the file until it can be used.
document.documentElement.dataset.ready = String(Math.round(performance.now()));
