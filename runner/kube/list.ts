import { EXIT, ReeveError } from '../errors.ts';
import type { ClusterRequest, ClusterResponse, KubeObject } from '../module.ts';
import { messageOf } from './failures.ts';

/** kubectl's page size. */
const PAGE = 500;
/** A list that expires this often while it is read is too long for the server's history. */
const RESTARTS = 5;

export interface Listed {
  items: KubeObject[];
  /** The version of the collection: a watch starts from it. */
  resourceVersion: string;
}

/**
 * All pages of a list, from the start again when the server has forgotten where a page continued (410).
 * @throws ReeveError `cluster-not-found` when the server knows no such resource, `cluster-refused` for other answers.
 */
export async function listAll(
  read: (request: ClusterRequest) => Promise<ClusterResponse>,
  path: string,
  query: ClusterRequest['query'] = {},
): Promise<Listed> {
  for (let restart = 0; ; restart += 1) {
    const listed = await listOnce(read, path, query);
    if (listed !== 'expired') return listed;
    if (restart === RESTARTS) throw refused(path, 410, 'the list expired again and again while it was read');
  }
}

async function listOnce(
  read: (request: ClusterRequest) => Promise<ClusterResponse>,
  path: string,
  query: ClusterRequest['query'],
): Promise<Listed | 'expired'> {
  const items: KubeObject[] = [];
  let token: string | undefined;
  for (;;) {
    const { status, body } = await read({
      method: 'GET',
      path,
      query: { ...query, limit: PAGE, ...(token && { continue: token }) },
    });
    if (status === 410) return 'expired';
    if (status !== 200) throw refused(path, status, messageOf(body));
    if (!Array.isArray(body?.items)) throw refused(path, status, 'the answer is no list');
    for (const item of body.items) items.push(item);
    token = body.metadata?.continue || undefined;
    if (token === undefined) return { items, resourceVersion: body.metadata?.resourceVersion ?? '' };
  }
}

function refused(path: string, status: number, said: string): ReeveError {
  const known = status === 404;
  return new ReeveError(
    known ? 'cluster-not-found' : 'cluster-refused',
    `${path}: the API server answered ${status}${said ? `: ${said}` : ''}`,
    {
      exitCode: EXIT.taskFailed,
      ...(known && { hint: 'Does the cluster have this kind, in this version?' }),
    },
  );
}
