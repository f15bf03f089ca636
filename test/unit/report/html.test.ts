import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventBody } from '../../../runner/events.ts';
import { html } from '../../../runner/report/html/html.ts';
import { recordOf } from '../../../runner/report/record.ts';
import { Browser, findBrowser } from '../../support/browser.ts';
import { needs } from '../../support/needs.ts';
import { events, header, syntheticEvents } from '../../support/report-fixtures.ts';
import { isAll } from '../../support/size.ts';
import { failedUpgrade, upgradeEvents } from '../../support/upgrade-events.ts';

const program = findBrowser();

const EVIL = '</script><script>document.title = "owned"</script><img src=x onerror="document.title=\'owned\'">';

describe('html', () => {
  it('is the same bytes every time, and loads nothing', async () => {
    const run = await syntheticEvents(3, 4, [2]);
    const page = html(header(), recordOf(run));
    expect(html(header(), recordOf(run))).toBe(page);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<(link|img|iframe|object)\b|\b(src|href)=|@import|url\(/);
  });

  it('lets no text of a run become markup', () => {
    const page = html(
      header({ playbook: { file: EVIL, name: EVIL }, operator: { user: EVIL, host: EVIL, cwd: '/' } }),
      recordOf(evil()),
    );
    expect(page).not.toContain('<img');
    expect(page.match(/<script\b/g)).toHaveLength(2);
  });
});

describe('html in a browser', needs(!program && 'chromium is missing'), () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'reeve-html-'));
    browser = await Browser.start(program!);
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function show(page: string): Promise<void> {
    const file = join(folder, `page-${Math.random().toString(36).slice(2)}.html`);
    writeFileSync(file, page);
    await browser.open(file);
  }
  const shown = () => browser.value<string[]>(`[...document.querySelectorAll('.row')].map((row) => row.textContent)`);
  const selected = () =>
    browser.value<string>(`document.querySelector('.row[aria-selected="true"]')?.textContent ?? ''`);
  const detail = () => browser.value<string>(`document.getElementById('detail').textContent`);
  const countText = () => browser.value<string>(`document.getElementById('count').textContent`);

  it('shows thousands of tasks, draws only those in view, and finds the failure by itself', async () => {
    const count = isAll ? 500 : 100;
    await show(html(header(), recordOf(await syntheticEvents(count, 50, [3, 77]))));
    expect(browser.complaints).toEqual([]);
    expect(await countText()).toBe(`${count * 50 - 96} of ${count * 50 - 96} tasks`);
    expect((await shown()).length).toBeLessThan(100);
    expect(await selected()).toContain('node-003');
    expect(await detail()).toContain('the budget shop/web allows no eviction');
    const ready = await browser.value<string>('document.documentElement.dataset.ready');
    console.log(`the report of ${count} hosts × 50 tasks could be used after ${ready} ms`);
    await browser.press('f');
    expect(await selected()).toContain('node-077');
  });

  it('can be used with the keyboard alone', async () => {
    await show(html(header(), recordOf(await syntheticEvents(5, 8))));
    await browser.press('j');
    await browser.press('ArrowDown');
    expect(await selected()).toContain('node-002');
    await browser.press('End');
    expect(await selected()).toContain('node-005');
    await browser.press('h');
    expect(await countText()).toBe('8 of 40 tasks');
    await browser.press('Escape');
    expect(await countText()).toBe('40 of 40 tasks');
    await browser.press('/');
    await browser.type('node-002 drain');
    expect(await countText()).toBe('2 of 40 tasks');
    await browser.press('Enter');
    expect(await selected()).toContain('drain the node');
    await browser.press('?');
    expect(await browser.value<boolean>(`document.getElementById('help').open`)).toBe(true);
  });

  it('filters by status and shows diffs', async () => {
    await show(html(header(), recordOf(await syntheticEvents(5, 8))));
    await browser.value(`document.querySelector('[data-status="ok"]').click()`);
    expect(await countText()).toBe('10 of 40 tasks');
    await browser.press('Home');
    expect(await browser.value<string>(`document.querySelector('#detail .added').textContent`)).toBe('+b');
    expect(await browser.value<string>(`document.querySelector('#detail .removed').textContent`)).toBe('-a');
  });

  it('follows the dark mode of the system, and the key that turns it', async () => {
    await show(html(header(), recordOf(await syntheticEvents(2, 4))));
    const back = () => browser.value<string>('getComputedStyle(document.body).backgroundColor');
    expect(await back()).toBe('rgb(255, 255, 255)');
    await browser.dark();
    expect(await back()).toBe('rgb(20, 23, 28)');
    await browser.press('d');
    expect(await back()).toBe('rgb(255, 255, 255)');
  });

  it('shades the time in which the control plane did not answer', async () => {
    /** Colour of the timeline between two lanes at a moment of the run, in milliseconds. */
    const colorAt = (ms: number) =>
      browser.value<string>(`(() => {
        const canvas = document.querySelector('#timeline canvas');
        const { length } = JSON.parse(document.getElementById('data').textContent);
        const left = 150 + ${ms} * (canvas.clientWidth - 158) / length;
        return [...canvas.getContext('2d').getImageData(left, 21, 1, 1).data].join();
      })()`);
    await show(html(header(), recordOf(upgradeEvents())));
    // It was away from 16.5 s to 20.5 s after the beginning.
    expect(await colorAt(18_000)).not.toBe(await colorAt(13_000));
    expect(await colorAt(22_000)).toBe(await colorAt(13_000));
    expect(await browser.value<string>('document.body.textContent')).toContain(
      'Shaded: the control plane did not answer',
    );
  });

  it('fits a narrow window, what needs attention first', async () => {
    await browser.page.setViewportSize({ width: 400, height: 800 });
    await show(html(header(), recordOf(failedUpgrade())));
    expect(await browser.value<number>('document.documentElement.scrollWidth')).toBe(400);
    expect(await browser.value<string>(`document.querySelector('main').firstElementChild.textContent`)).toMatch(
      /^Needs attention.*k3s-1 is left cordoned/,
    );
    await browser.page.setViewportSize({ width: 1300, height: 900 });
  });

  it('asks for nothing but itself, and runs nothing that a run has said', async () => {
    await show(html(header(), recordOf(evil())));
    await browser.press('j');
    await browser.press('k');
    expect(browser.requests.filter((url) => !url.startsWith('file://') || !url.includes('page-'))).toEqual([]);
    expect(await browser.value<string>('document.title')).not.toBe('owned');
    expect(await detail()).toContain(EVIL);
  });

  it.each([
    ['has no events', []],
    ['was cut off', [started, playStarted, taskStarted]],
  ])('shows a run that %s', async (_, bodies) => {
    await show(html(header(), recordOf(events(bodies as EventBody[]))));
    expect(browser.complaints).toEqual([]);
    expect(await browser.value<string>('document.documentElement.dataset.ready')).toMatch(/^\d+$/);
    expect(await countText()).toBe(bodies.length === 0 ? '0 of 0 tasks' : '1 of 1 tasks');
  });
});

const started: EventBody = {
  ...{ type: 'run-started', playbook: 'site.yaml', name: EVIL, inventory: [EVIL], check: false, diff: false },
  ...{ reeve: '0', inputs: { [EVIL]: EVIL } },
};
const playStarted: EventBody = { type: 'play-started', play: 0, name: EVIL, hosts: [EVIL], batches: 1 };
const task = { id: 'plays[0].tasks[0]', name: EVIL, module: 'command', section: 'tasks' };
const taskStarted: EventBody = { type: 'task-started', play: 0, batch: 0, host: EVIL, task };

/** A run in which everything that can be text is an attack. */
function evil() {
  return events([
    started,
    playStarted,
    taskStarted,
    { type: 'task-output', host: EVIL, task: task.id, stream: 'stdout', text: EVIL },
    { type: 'notice', level: 'warning', message: EVIL },
    { type: 'note', text: EVIL, by: EVIL },
    { type: 'node-state', node: EVIL, state: EVIL },
    {
      ...{ type: 'task-ended', play: 0, batch: 0, host: EVIL, task, status: 'failed', duration: 1, message: EVIL },
      changes: [{ summary: EVIL, before: EVIL, after: `${EVIL}\n`, path: EVIL }],
      ...{
        warnings: [EVIL],
        error: { code: EVIL, message: EVIL, hint: EVIL, place: { file: EVIL, line: 1, column: 1 } },
      },
    },
  ]);
}
