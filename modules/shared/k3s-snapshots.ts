/** What `k3s etcd-snapshot` prints (k3s-io/k3s pkg/cli/etcdsnapshot). */

export interface Snapshot {
  name: string;
  /** `file:///var/lib/…` or `s3://…` */
  location: string;
  size: number;
  created: string;
}

/** Rows of `k3s etcd-snapshot ls`; log lines between them are left out. */
export function parseSnapshotList(output: string): Snapshot[] {
  const snapshots: Snapshot[] = [];
  for (const line of output.split('\n')) {
    const match = /^(\S+)\s+((?:file|s3):\/\/\S+)\s+(\d+)\s+(\S+)\s*$/.exec(line);
    if (match) snapshots.push({ name: match[1]!, location: match[2]!, size: Number(match[3]), created: match[4]! });
  }
  return snapshots;
}

/** The name in `Snapshot on-demand-k3s-1-1700000000 saved.` */
export function savedName(output: string): string | undefined {
  return /Snapshot (\S+) saved/.exec(output)?.[1];
}

/**
 * Snapshots of this name and node that are too many once one more is there, the oldest first. Only files of the node
 * itself: what lies in S3 has its own retention.
 * @param spare how many places the next snapshot takes: 1 before it is saved, 0 after
 */
export function surplus(list: Snapshot[], name: string, node: string, keep: number, spare: number): Snapshot[] {
  const own = list.filter((one) => {
    const stamp = one.name.startsWith(`${name}-${node}-`) ? one.name.slice(name.length + node.length + 2) : '';
    return /^\d+$/.test(stamp) && one.location.startsWith('file://');
  });
  own.sort((a, b) => Number(a.name.split('-').at(-1)) - Number(b.name.split('-').at(-1)));
  return own.slice(0, Math.max(0, own.length + spare - keep));
}
