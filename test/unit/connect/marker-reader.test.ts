import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MarkerReader } from '../../../runner/connect/marker-reader.ts';

/** Cuts bytes at the given places. */
function pieces(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

test('what stands between markers is exact, however the stream is cut', async () => {
  const part = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.map((byte) => byte & 3)));
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      async (parts, cuts) => {
        // Few different bytes, so that beginnings of the marker are everywhere.
        const marker = '\x01\x02\x01\x02\x04';
        const all = Buffer.concat(parts.flatMap((one) => [one, Buffer.from(marker)]));
        const stream = new PassThrough();
        const reader = new MarkerReader(stream);
        const writing = (async () => {
          for (const piece of pieces(all, cuts)) {
            stream.write(piece);
            await new Promise(setImmediate);
          }
        })();
        for (const one of parts) expect((await reader.readUntil(marker)).equals(one)).toBe(true);
        await writing;
        expect(reader.take().length).toBe(0);
      },
    ),
  );
});

test('a stream that ends first rejects who waits, and who comes later', async () => {
  const stream = new PassThrough();
  const reader = new MarkerReader(stream);
  const waiting = reader.readUntil('end');
  stream.end('partial');
  await expect(waiting).rejects.toThrow();
  expect(reader.take().toString()).toBe('partial');
  await expect(reader.readUntil('end')).rejects.toThrow();
});
