import { defineModule, TaskFailure, type WriteTarget } from '../../runner/module.ts';
import { checkDurations, durationOf, durationSchema } from '../shared/duration.ts';
import { parseSnapshotList, type Snapshot, savedName, surplus } from '../shared/k3s-snapshots.ts';
import { type Datastore, mainUnit, placeArgs, readK3sState } from '../shared/k3s-state.ts';
import { quote, quoteAll } from '../shared/quote.ts';
import { steady } from '../shared/steady.ts';

interface Next {
  name: string;
  /** `k3s etcd-snapshot`, and the flags that every subcommand gets. */
  k3s: string;
  flags: string[];
  keep: number | undefined;
  copyTo: string | undefined;
  tokenHash: string;
  timeout: number;
}

export const etcdSnapshot = defineModule({
  name: 'etcd-snapshot',
  description: 'Saves a snapshot of the embedded etcd and verifies that it is there and not empty.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      name: {
        type: 'string',
        default: 'reeve',
        pattern: '^[A-Za-z0-9][A-Za-z0-9.-]*$',
        description: 'Beginning of its name; k3s adds the node and the time.',
      },
      dir: { type: 'string', description: 'Directory of the snapshots; default: what k3s is configured with.' },
      keep: {
        type: 'integer',
        minimum: 0,
        description:
          'Delete the oldest snapshots of this name on this node beyond so many; 0: keep all. k3s never does that itself.',
      },
      copy_to: {
        type: 'string',
        description: 'Directory on the host that gets a copy, on a mounted share for instance; empty: none.',
      },
      timeout: durationSchema('How long saving may take.', '5m'),
      ...placeArgs,
    },
  },
  shorthand: 'name',
  examples: [
    { title: 'Before an upgrade', yaml: 'etcd-snapshot: { name: before-upgrade }' },
    {
      title: 'The last five, and a copy elsewhere',
      yaml: 'etcd-snapshot: { name: nightly, keep: 5, copy_to: /mnt/backup }',
    },
  ],
  kind: 'action',
  noUndo: 'a snapshot stays, and so does its copy: a rollback is when one may be needed',
  guard: 'only on a server whose datastore is the embedded etcd',
  returns: {
    type: 'object',
    properties: {
      datastore: { type: 'string', enum: ['etcd', 'sqlite', 'external', 'none'], description: 'What the server uses.' },
      saved: { type: 'boolean', description: 'A snapshot was saved and verified.' },
      name: { type: 'string', description: 'Its full name; empty without one.' },
      path: { type: 'string', description: 'Its file on the host, or its place in S3.' },
      size: { type: 'integer', description: 'Bytes.' },
      sha256: { type: 'string', description: 'Of the file; empty for one in S3.' },
      copy: { type: 'string', description: 'Path of the copy.' },
      pruned: { type: 'array', items: { type: 'string' }, description: 'Snapshots that were deleted.' },
      token_sha256: { type: 'string', description: 'Hash of the server token: a restore needs that token.' },
    },
  },
  notes:
    'With SQLite nothing is done here: its database is copied while k3s is stopped, by `install-script` with ' +
    '`snapshot_sqlite`. An external datastore is backed up where it runs. The token itself is never read out.',
  check: (args) => checkDurations(args, 'timeout'),
  async plan(args, target) {
    const state = await readK3sState(target, args);
    const facts = { ...emptyFacts, datastore: state.datastore, token_sha256: state.tokenHash ?? '' };
    if (mainUnit(state)?.role === 'agent') return { changes: [], facts, message: 'an agent has no datastore' };
    if (state.datastore !== 'etcd') return { changes: [], facts, message: withoutEtcd(state.datastore) };
    const next: Next = {
      name: args.name,
      k3s: `${args.bin_dir}/k3s`,
      flags: [
        ...(args.data_dir === placeArgs.data_dir.default ? [] : ['--data-dir', args.data_dir]),
        ...(args.dir === undefined ? [] : ['--etcd-snapshot-dir', args.dir]),
      ],
      keep: args.keep || undefined,
      copyTo: args.copy_to || undefined,
      tokenHash: facts.token_sha256,
      timeout: durationOf(args.timeout, 'timeout'),
    };
    const changes = [{ summary: `etcd snapshot ${args.name}-${target.nodeName}-…`, after: 'saved' }];
    if (args.keep) {
      const { stdout } = await target.read(command(next, 'ls'));
      for (const one of surplus(parseSnapshotList(stdout), args.name, target.nodeName, args.keep, 1)) {
        changes.push({ summary: `etcd snapshot ${one.name}: delete, only ${args.keep} are kept`, after: 'deleted' });
      }
    }
    return { changes, facts, predicted: { datastore: 'etcd', saved: true, token_sha256: facts.token_sha256 }, next };
  },
  async apply(next, real) {
    const target = steady(real);
    const name = await save(next, target);
    const verified = await verify(next, name, target);
    const pruned = await prune(next, name, verified.list, target);
    const { list: _, ...facts } = verified;
    return {
      facts: { ...facts, datastore: 'etcd', saved: true, name, pruned, token_sha256: next.tokenHash },
      message: `${name}, ${facts.size} bytes`,
    };
  },
});

const emptyFacts = { saved: false, name: '', path: '', size: 0, sha256: '', copy: '', pruned: [] as string[] };

function withoutEtcd(datastore: Datastore): string {
  if (datastore === 'sqlite') return 'the datastore is SQLite: it is copied while k3s is stopped for the upgrade';
  if (datastore === 'none') return 'no datastore here';
  throw new TaskFailure('the datastore is external: k3s cannot snapshot it', {
    code: 'external-datastore',
    hint: 'back it up where it runs, and set `snapshot: false`',
  });
}

function command(next: Next, action: string, ...args: string[]): string {
  return quoteAll([next.k3s, 'etcd-snapshot', action, ...next.flags, ...args]);
}

/** Runs apart from the connection: a snapshot of a large datastore takes its time. Gives the full name. */
async function save(next: Next, target: WriteTarget): Promise<string> {
  target.progress('saving an etcd snapshot');
  const result = await target.job({
    name: 'etcd-snapshot',
    script: `${command(next, 'save', '--name', next.name)} 2>&1`,
    timeout: Math.min(next.timeout, target.remaining()),
  });
  const name = savedName(result.stdout);
  if (result.code === 0 && name !== undefined) return name;
  const disabled = /etcd datastore disabled|managed etcd is not in use/.test(result.stdout);
  const why = result.timedOut ? 'it did not end in time' : result.stdout.trim().split('\n').slice(-5).join('\n');
  throw new TaskFailure(`no etcd snapshot was saved: ${why}`, {
    code: disabled ? 'no-etcd' : 'snapshot-failed',
    hint: disabled ? 'this server does not use the embedded etcd, although its directory is there' : undefined,
  });
}

/** Looks at the list of snapshots and at the file, and copies it. Throws TaskFailure `snapshot-failed`. */
async function verify(next: Next, name: string, target: WriteTarget) {
  const listed = await target.read(command(next, 'ls'));
  const list = parseSnapshotList(listed.stdout);
  const own = list.filter((one) => one.name === name);
  const file = own.find((one) => one.location.startsWith('file://'));
  const found = file ?? own[0];
  if (!found) throw failure(`${name} was saved, and k3s does not list it`);
  if (found.size <= 0) throw failure(`${name} has a size of 0`);
  if (!file) return { path: found.location, size: found.size, sha256: '', copy: '', list };
  const path = decodeURIComponent(file.location.slice('file://'.length));
  const copy = next.copyTo === undefined ? '' : `${next.copyTo}/${name}`;
  const result = await target.run(verifyScript(path, copy), { timeout: Math.min(next.timeout, target.remaining()) });
  const [size, sha256 = '', copied] = result.stdout.trim().split('\n');
  if (result.code !== 0 || Number(size) !== file.size) {
    throw failure(`${path} is not as k3s lists it: ${result.stderr.trim() || `${size} bytes, not ${file.size}`}`);
  }
  if (copy !== '' && copied !== sha256) throw failure(`the copy ${copy} differs from ${path}`);
  return { path, size: file.size, sha256, copy, list };
}

function failure(message: string): TaskFailure {
  return new TaskFailure(message, {
    code: 'snapshot-failed',
    hint: 'is the disk full? Stop before anything is drained',
  });
}

/** Prints size and hash of the file, and the hash of its copy. */
function verifyScript(path: string, copy: string): string {
  const file = quote(path);
  const lines = [`echo "$(($(wc -c <${file})))"`, `sha256sum <${file} | sed 's/ .*//'`];
  if (copy !== '') {
    const [to, part] = [quote(copy), quote(`${copy}.part`)];
    lines.push(`umask 077; cp ${file} ${part} && mv -f ${part} ${to} && sha256sum <${to} | sed 's/ .*//'`);
  }
  return `[ -s ${file} ] || { echo 'the file is empty or missing' >&2; exit 1; }\n${lines.join('\n')}`;
}

async function prune(next: Next, name: string, list: Snapshot[], target: WriteTarget): Promise<string[]> {
  if (next.keep === undefined) return [];
  // The node as k3s names it is what stands between the name and the time.
  const node = name.slice(next.name.length + 1).replace(/-\d+$/, '');
  const names = surplus(list, next.name, node, next.keep, 0).map((one) => one.name);
  if (names.length === 0) return [];
  const result = await target.run(`${command(next, 'delete', ...names)} 2>&1`);
  if (result.code !== 0) target.warn(`old snapshots could not be deleted: ${result.stdout.trim()}`);
  return result.code === 0 ? names : [];
}
