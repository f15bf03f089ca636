/** Reads tar archives: ustar, the extended headers of pax, and GNU's long names. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { TaskFailure } from '../../runner/module.ts';

export interface TarEntry {
  /** Relative, without `.`, `..`, or a slash at either end. */
  path: string;
  type: 'file' | 'directory' | 'link';
  /** Permission bits. */
  mode: number;
  content: Buffer;
  /** Where a symbolic link points. */
  target: string;
}

const BLOCK = 512;

/** Undoes gzip and zstd, told by their first bytes. @throws TaskFailure `archive` for formats that Node cannot read. */
export function decompress(content: Buffer, name: string): Buffer {
  const head = content.toString('hex', 0, 6);
  try {
    if (head.startsWith('1f8b')) return gunzipSync(content);
    if (head.startsWith('28b52ffd')) return zstdDecompressSync(content);
  } catch (cause) {
    throw new TaskFailure(`${name} is damaged: ${(cause as Error).message}`, { code: 'archive', cause });
  }
  const other =
    head === 'fd377a585a00' ? 'xz' : head.startsWith('504b') ? 'zip' : head.startsWith('425a68') ? 'bzip2' : '';
  if (other) {
    throw new TaskFailure(`${name} is a ${other} archive`, {
      code: 'archive',
      hint: 'pack it as .tar, .tar.gz or .tar.zst',
    });
  }
  return content;
}

/**
 * The entries of a tar archive, in its order.
 * @throws TaskFailure `archive` when it is damaged, holds devices, or paths that lead out of the directory.
 */
export function readTar(archive: Buffer, name: string): TarEntry[] {
  const entries: TarEntry[] = [];
  let extended: Record<string, string> = {};
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    verifyHeader(header, name);
    const size = Number(extended.size ?? octal(header, 124, 12));
    const body = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (body.length < size) throw damaged(name, 'it ends too early');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'x') extended = { ...extended, ...paxRecords(body) };
    else if (type === 'L') extended.path = text(body, 0, size);
    else if (type === 'K') extended.linkpath = text(body, 0, size);
    else if (type !== 'g') {
      const entry = readEntry(header, body, type, extended, entries, name);
      if (entry) entries.push(entry);
      extended = {};
    }
  }
  if (entries.length === 0) throw damaged(name, 'there is nothing in it');
  return entries;
}

function readEntry(
  header: Buffer,
  body: Buffer,
  type: string,
  extended: Record<string, string>,
  before: TarEntry[],
  name: string,
): TarEntry | undefined {
  const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
  const written = extended.path ?? (prefix ? `${prefix}/` : '') + text(header, 0, 100);
  const path = safePath(written, name);
  if (path === '') return undefined;
  const target = extended.linkpath ?? text(header, 157, 100);
  const entry = { path, mode: octal(header, 100, 8) & 0o7777, content: Buffer.alloc(0), target: '' };
  if (type === '5' || written.endsWith('/')) return { ...entry, type: 'directory' };
  if (type === '2') return { ...entry, type: 'link', target };
  if (type === '0' || type === '\0' || type === '7') return { ...entry, type: 'file', content: body };
  const same = type === '1' ? before.find((one) => one.path === safePath(target, name)) : undefined;
  if (same) return { ...entry, type: 'file', content: same.content };
  throw damaged(name, `${path} is of a kind (${JSON.stringify(type)}) that is not unpacked`);
}

/** An archive must not write beside its directory. */
function safePath(path: string, name: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..')) throw damaged(name, `${path} leads out of the directory`);
  return parts.join('/');
}

/** The checksum is the sum of all bytes, its own field taken as blanks. */
function verifyHeader(header: Buffer, name: string): void {
  let sum = 8 * 0x20;
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte;
  if (sum !== octal(header, 148, 8)) throw damaged(name, 'it is no tar archive, or a part of it is missing');
}

/** `LENGTH KEY=VALUE\n` after one another; the length counts the whole record in bytes. */
function paxRecords(body: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const length = Number.parseInt(body.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) break;
    const [, key, value] = /^\d+ ([^=]+)=(.*)\n$/s.exec(body.toString('utf8', at, at + length)) ?? [];
    if (key !== undefined && value !== undefined) records[key] = value;
    at += length;
  }
  return records;
}

function octal(header: Buffer, at: number, length: number): number {
  // GNU writes sizes of 8 GiB and more in base 256, marked by the first bit.
  if (header[at]! & 0x80) return Number(BigInt(`0x${header.toString('hex', at + 1, at + length)}`));
  return Number.parseInt(text(header, at, length).trim() || '0', 8);
}

function text(buffer: Buffer, at: number, length: number): string {
  const field = buffer.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

function damaged(name: string, why: string): TaskFailure {
  return new TaskFailure(`${name} cannot be unpacked: ${why}`, { code: 'archive' });
}
