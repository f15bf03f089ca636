import { createHash } from 'node:crypto';
import { TaskFailure } from '../../runner/module.ts';

type FileType = 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'block' | 'char' | 'other';

export interface Attributes {
  type: FileType;
  /** Permission bits, set-id and sticky included. */
  mode: number;
  size: number;
  uid: number;
  gid: number;
  owner: string;
  group: string;
  /** seconds since 1970 */
  mtime: number;
  atime: number;
  links: number;
  device: number;
  inode: number;
}

/** One path of the target as it was found. */
export interface FileState {
  /** Absolute, `~` resolved. */
  path: string;
  /** The entry itself; undefined when there is none. */
  entry?: Attributes;
  /** What it is once links are followed: undefined for nothing, and for a link that leads nowhere. */
  real?: Attributes;
  /** Where a link points, as it is written in it. */
  link?: Buffer;
  sha256?: string;
  content?: Buffer;
  readable: boolean;
  writable: boolean;
  executable: boolean;
  /** This and the next two only when `real` is undefined: whether the directory it would be in is there. */
  parent?: boolean;
  /** Directories above it that do not exist, outermost first. */
  missing?: string[];
  /** What should be one of these directories and is something else. */
  blocked?: string;
  /** What a new file there gets. */
  newcomer?: { mode: number; directoryMode: number; owner: string; group: string };
}

// The top four bits of st_mode, <sys/stat.h>.
const TYPES: Record<number, FileType> = {
  1: 'fifo',
  2: 'char',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'link',
  12: 'socket',
};

/** Reads the answer of `probeScript` for `count` paths; `rest` is what a module's own lines printed behind it. */
export function parseProbes(output: Buffer, count: number): { states: FileState[]; rest: Buffer } {
  const reader = new FieldReader(output);
  const states: FileState[] = [];
  while (states.length < count && reader.left > 0) states.push(parseState(reader));
  return { states, rest: reader.rest() };
}

/** Splits NUL-ended fields and counted content off a buffer. */
class FieldReader {
  private readonly buffer: Buffer;
  private position = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  get left(): number {
    return this.buffer.length - this.position;
  }

  bytes(): Buffer {
    const end = this.buffer.indexOf(0, this.position);
    if (end < 0) throw garbled();
    const field = this.buffer.subarray(this.position, end);
    this.position = end + 1;
    return field;
  }

  text(): string {
    return this.bytes().toString();
  }

  counted(length: number): Buffer {
    const end = this.position + length;
    // A file that grew or shrank while it was read does not end where its length said.
    if (this.buffer[end] !== 0) throw garbled();
    const content = this.buffer.subarray(this.position, end);
    this.position = end + 1;
    return content;
  }

  rest(): Buffer {
    return this.buffer.subarray(this.position);
  }
}

function garbled(): TaskFailure {
  return new TaskFailure('a file changed while it was being read', {
    code: 'file-changed',
    hint: 'run the task again',
  });
}

function parseState(reader: FieldReader): FileState {
  if (reader.text() !== 'F') throw garbled();
  const path = reader.text();
  const present = reader.text() === 'y';
  const entry = parseAttributes(reader.text());
  const link = reader.bytes();
  const followed = parseAttributes(reader.text());
  const sha256 = reader.text();
  const access = reader.text();
  const parent = reader.text();
  const ancestor = reader.text();
  const newcomer = parseNewcomer(reader.text(), parseAttributes(parent));
  const length = reader.text();
  if (access === 'denied') throw denied(path);
  if (present && !entry) {
    throw new TaskFailure(`${path} exists but cannot be looked at: the target has no usable \`stat\``, {
      hint: 'install coreutils (or busybox with stat) on the target',
    });
  }
  const real = entry?.type === 'link' ? followed : entry;
  const content = length ? reader.counted(Number(length)) : undefined;
  const hash = sha256 || (content && createHash('sha256').update(content).digest('hex'));
  return {
    path,
    ...(entry && { entry }),
    ...(real && { real }),
    ...(entry?.type === 'link' && { link }),
    ...(hash && { sha256: hash }),
    ...(content && { content }),
    readable: access.includes('r'),
    writable: access.includes('w'),
    executable: access.includes('x'),
    ...(parent && { parent: true }),
    ...(access === 'blocked' && { blocked: ancestor }),
    ...(newcomer && { newcomer, missing: missingBetween(ancestor, path) }),
  };
}

function missingBetween(ancestor: string, path: string): string[] {
  const names = path
    .slice(ancestor.length)
    .split('/')
    .filter((name) => name !== '');
  return names.slice(0, -1).map((_, index) => `${ancestor}/${names.slice(0, index + 1).join('/')}`);
}

function denied(path: string): TaskFailure {
  return new TaskFailure(`${path}: permission denied`, { code: 'permission-denied', hint: 'set become: true' });
}

/** What stat printed; undefined for anything else. */
export function parseAttributes(text: string): Attributes | undefined {
  const fields = text.trim().split(':');
  if (fields.length < 11) return undefined;
  const raw = Number.parseInt(fields[0]!, 16);
  const number = (index: number) => Number(fields[index]);
  const name = (index: number, id: number) => (/^(UNKNOWN|)$/.test(fields[index]!) ? String(id) : fields[index]!);
  return {
    type: TYPES[raw >> 12] ?? 'other',
    mode: raw & 0o7777,
    size: number(1),
    uid: number(2),
    gid: number(3),
    mtime: number(4),
    atime: number(5),
    links: number(6),
    device: number(7),
    inode: number(8),
    owner: name(9, number(2)),
    group: name(10, number(3)),
  };
}

/** `0022`, then `uid=0(root) gid=0(root) groups=…`; `parent` only when it hands its group down: what a file made here gets, as the kernel decides it. */
function parseNewcomer(text: string, parent: Attributes | undefined): FileState['newcomer'] {
  const found = /^(\d+)\suid=(\d+)(?:\(([^)]*)\))? gid=(\d+)(?:\(([^)]*)\))?/.exec(text);
  if (!found) return undefined;
  const umask = Number.parseInt(found[1]!, 8);
  const setgid = parent !== undefined;
  return {
    mode: 0o644 & ~umask,
    // Directories inherit the set-group-id bit itself.
    directoryMode: (0o777 & ~umask) | (setgid ? 0o2000 : 0),
    owner: found[3] ?? found[2]!,
    group: setgid ? parent.group : (found[5] ?? found[4]!),
  };
}
