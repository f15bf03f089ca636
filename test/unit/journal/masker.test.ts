import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaskedStream } from '../../../runner/journal/masked-stream.ts';
import { MASK, Masker } from '../../../runner/journal/masker.ts';
import { TextFinder } from '../../../runner/journal/text-finder.ts';
import { TaggedSecret } from '../../../runner/secrets/sealed-values.ts';

const SECRET = `pa$$ "w'ord"/ü+\\`;

function knowing(...secrets: unknown[]): Masker {
  const masker = new Masker();
  for (const secret of secrets) masker.add(secret);
  return masker;
}

/** What a real shell prints. */
const sh = (script: string, ...args: string[]) =>
  execFileSync('sh', ['-c', script, 'sh', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

describe('forms of a secret', () => {
  it.each<[string, string]>([
    ['as it is', SECRET],
    ['JSON', JSON.stringify({ a: SECRET })],
    ['JSON in JSON', JSON.stringify(JSON.stringify([SECRET]))],
    ['JSON without ü', JSON.stringify(SECRET).replace('ü', '\\u00fc')],
    ['JSON with escaped slashes', JSON.stringify(SECRET).replace('/', '\\/')],
    ['shell', `'${SECRET.replaceAll("'", `'\\''`)}'`],
    ['URL', encodeURIComponent(SECRET)],
    ['URL in lower case', encodeURIComponent(SECRET).toLowerCase()],
    ['a form of the web', String(new URLSearchParams({ q: SECRET }))],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64 of HTTP basic', Buffer.from(`user:${SECRET}`).toString('base64')],
    ['base64 in the middle', Buffer.from(`ab${SECRET}cd`).toString('base64')],
    ['base64url', Buffer.from(`a${SECRET}`).toString('base64url')],
    ['a key', `${SECRET}: 1`],
  ])('%s', (_name, shown) => {
    const masked = knowing(SECRET).text(`before ${shown} after`);
    expect(masked).toContain(MASK);
    expect(masked).toMatch(/^before .* after$/s);
    for (const part of ['ord', 'pa$', Buffer.from(SECRET).toString('base64').slice(4, 12)])
      expect(masked).not.toContain(part);
  });

  it('what real tools print of a long secret of several lines', () => {
    const secret = `-----BEGIN KEY-----\n${'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+/\n'.repeat(4)}-----END KEY-----`;
    const masker = knowing(secret);
    const outputs = [
      'printf %s "$1"',
      'printf "%s\\n" "$1" | base64',
      'printf %s "$1" | base64 -w 64',
      'printf %s "$1" | sed "s/^/  /"',
      'set -x; : "$1"',
    ];
    for (const script of outputs) {
      const masked = masker.text(sh(`exec 2>&1; ${script}`, secret));
      expect(masked.replaceAll(MASK, '').replaceAll(/[\s'+:;]/g, '').length).toBeLessThan(6);
    }
  });

  it('nothing of what is sealed but not open: where a secret comes from, and the file that says so', () => {
    const place = { file: 'inventory/hosts.yaml', line: 3, column: 5 };
    const sealed = new TaggedSecret('lookup', 'env:BECOME', place, () => 'sesame open');
    expect(knowing({ a: [sealed] }).text('lookup env:BECOME in inventory/hosts.yaml')).not.toContain(MASK);
  });

  it('its beginning, where what is too long was cut before it was masked', () => {
    const secret = 'K10a-long-token-"of"-a-server';
    const masker = knowing(secret);
    for (let length = 3; length < secret.length; length++)
      expect(masker.text(`run x ${secret.slice(0, length)}…, and ${secret}`)).toBe(`run x ${MASK}…, and ${MASK}`);
    expect(masker.text(`the text ${JSON.stringify(secret).slice(0, 20)}…"`)).toBe(`the text "${MASK}…"`);
    expect(masker.text(`${secret}${secret.slice(0, 9)}…`)).toBe(`${MASK}${MASK}…`);
    expect(masker.text('copying K1… and 1…K10a')).toBe('copying K1… and 1…K10a');
  });

  it('every text and number of a mapping, keys of events and numbers too', () => {
    const masker = knowing({ a: ['first secret'], b: { c: 12345678, d: true, e: null } });
    const event = { type: 'x', list: ['has first secret in it', 12345678, true], 'first secret': 1 };
    expect(masker.value(event)).toEqual({ type: 'x', list: [`has ${MASK} in it`, MASK, true], [MASK]: 1 });
  });

  it('leaves the words alone that an event is made of', () => {
    const event = { type: 'task-ended', status: 'failed', message: 'failed' };
    expect(knowing('failed', 'task-ended').event(event)).toEqual({ ...event, message: MASK });
  });

  it('secrets that overlap are masked from the first to the last character', () => {
    expect(knowing('abcdefgh', 'efghijkl', 'ijklmnop').text('-abcdefghijklmnop-')).toBe(`-${MASK}-`);
    expect(knowing('abcdefgh', 'abcdefghijkl').text('abcdefghijkl abcdefgh')).toBe(`${MASK} ${MASK}`);
  });

  it('short ones are told by their length and stay', () => {
    const told: number[] = [];
    const masker = new Masker((length) => told.push(length));
    masker.add(['12345', '', '123456']);
    expect(told).toEqual([5]);
    expect(masker.text('12345 123456')).toBe(`12345 ${MASK}`);
  });
});

const secrets = fc.array(
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', "'", 'ü', '\n', ' '), minLength: 6, maxLength: 14 }),
  { minLength: 1, maxLength: 5 },
);
const text = fc.array(
  fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', 'c', "'", 'ü', '\n', ' '), maxLength: 12 }), fc.nat(4)),
  { maxLength: 12 },
);

/** A text in which some of the secrets stand. */
function woven(parts: (string | number)[], known: string[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : (known[part % known.length] ?? ''))).join('');
}

describe('properties', () => {
  it('the finder finds what a search at each place finds', () => {
    fc.assert(
      fc.property(secrets, text, (known, parts) => {
        const finder = new TextFinder();
        for (const one of known) finder.add(one);
        const all = woven(parts, known);
        const covered = new Set<number>();
        for (const one of known) {
          for (let at = all.indexOf(one); at >= 0; at = all.indexOf(one, at + 1)) {
            for (let index = at; index < at + one.length; index++) covered.add(index);
          }
        }
        const found = finder
          .find(all)
          .flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
        expect(found).toEqual([...covered].sort((a, b) => a - b));
      }),
    );
  });

  it('however output is cut, what is shown holds no secret, and nothing else is lost', () => {
    fc.assert(
      fc.property(secrets, text, fc.array(fc.nat(30), { maxLength: 20 }), (known, parts, cuts) => {
        const masker = knowing(...known);
        const bytes = Buffer.from(woven(parts, known));
        let shown = '';
        const stream = new MaskedStream(masker, (piece) => {
          expect(piece).not.toBe('');
          shown += piece;
        });
        let at = 0;
        for (const cut of cuts) {
          stream.push(bytes.subarray(at, at + cut));
          at = Math.min(bytes.length, at + cut);
        }
        stream.push(bytes.subarray(at));
        stream.end();
        for (const one of known) if (one.trim().length >= 6) expect(shown).not.toContain(one);
        expect(shown).toBe(masker.text(bytes.toString('utf8')));
      }),
    );
  });
});

describe('live output', () => {
  it('is shown at once where no secret can begin, and holds back no more than the beginning of one', () => {
    const pieces: string[] = [];
    const stream = new MaskedStream(knowing('correct horse'), (piece) => pieces.push(piece));
    for (const piece of ['nothing here', ' corr', 'ect hor', 'se battery cor', 'n']) stream.push(Buffer.from(piece));
    stream.end();
    expect(pieces).toEqual(['nothing here', ' ', `${MASK} battery `, 'corn']);
  });

  it('keeps characters whole that are cut in two', () => {
    const pieces: string[] = [];
    const stream = new MaskedStream(new Masker(), (piece) => pieces.push(piece));
    const bytes = Buffer.from('aüb');
    stream.push(bytes.subarray(0, 2));
    stream.push(bytes.subarray(2));
    expect(pieces).toEqual(['a', 'üb']);
  });
});
