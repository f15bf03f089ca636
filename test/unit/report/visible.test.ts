import { describe, expect, it } from 'vitest';
import { painter } from '../../../runner/report/paint.ts';
import { PlainReport } from '../../../runner/report/plain.ts';
import { visible, visibleEvent } from '../../../runner/report/visible.ts';
import { taskEnded } from './events.ts';

describe('what steers a terminal', () => {
  it('is taken out of text; tabs and line ends stay', () => {
    expect(visible('\x1b[31mred\x1b[0m\x1b]0;title\x07 a\tb\nc\rd\x00\x9b2J')).toBe('red a\tb\ncd');
  });

  it('is taken out of every part of an event, names too, and nothing is copied without need', () => {
    const event = taskEnded('a', 'x', { message: 'bell\x07', result: { 'k\x1b[1m': ['\x1b[2Jx'] } });
    expect(visibleEvent(event)).toMatchObject({ message: 'bell', result: { k: ['x'] } });
    const plain = taskEnded('a', 'x', { message: 'plain' });
    expect(visibleEvent(plain)).toBe(plain);
  });

  it('never gets into plain lines', () => {
    const report = new PlainReport({ verbose: true, diff: true, paint: painter(false) });
    const changes = [{ summary: 'a\x1b[5m', before: 'x\x1b[2J\n', after: 'y\x1bc\n' }];
    const event = taskEnded('a', 'x', { status: 'failed', message: '\x1b[31mbad', changes, warnings: ['\x07ding'] });
    expect(report.lines(event).join('\n')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  });
});
