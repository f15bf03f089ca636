import { defineModule } from '../../runner/module.ts';
import { foreseenPath } from '../shared/foresee.ts';
import { formatMode } from '../shared/mode.ts';
import { FILE_NEEDS, type FileState, probeFile } from '../shared/stat.ts';

export const stat = defineModule({
  name: 'stat',
  description: 'Tells what a path on the target is.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: {
      path: { type: 'string', minLength: 1, description: 'Path on the target.' },
      follow: { type: 'boolean', default: false, description: 'Tell about what a link leads to instead of the link.' },
      checksum: {
        type: 'boolean',
        default: true,
        description: 'Read the SHA-256 of a regular file; false saves the time for big ones.',
      },
    },
  },
  shorthand: 'path',
  examples: [
    { title: 'Is k3s installed?', yaml: 'stat: /usr/local/bin/k3s' },
    { title: 'What a link leads to', yaml: 'stat: { path: /usr/local/bin/kubectl, follow: true, checksum: false }' },
  ],
  kind: 'check',
  needs: FILE_NEEDS,
  returns: {
    type: 'object',
    additionalProperties: false,
    properties: {
      path: { type: 'string', description: 'Absolute path.' },
      exists: { type: 'boolean', description: 'With follow, false for a link that leads nowhere.' },
      type: {
        type: ['string', 'null'],
        enum: ['file', 'directory', 'link', 'fifo', 'socket', 'block', 'char', 'other', null],
        description: 'Null, like everything below, for what does not exist.',
      },
      mode: { type: ['string', 'null'], description: 'Permissions, four octal digits.' },
      size: { type: ['integer', 'null'], description: 'Bytes.' },
      owner: { type: ['string', 'null'], description: 'Name of the owner, or the number when it has none.' },
      group: { type: ['string', 'null'], description: 'Name of the group, or the number when it has none.' },
      uid: { type: ['integer', 'null'], description: 'Number of the owner.' },
      gid: { type: ['integer', 'null'], description: 'Number of the group.' },
      mtime: { type: ['integer', 'null'], description: 'Last change of the content, seconds since 1970.' },
      atime: { type: ['integer', 'null'], description: 'Last access, seconds since 1970.' },
      links: { type: ['integer', 'null'], description: 'Number of hard links.' },
      inode: { type: ['integer', 'null'], description: 'Number of the inode.' },
      link: { type: ['string', 'null'], description: 'Where a link points, as written in it.' },
      sha256: { type: ['string', 'null'], description: 'Of a regular file that can be read.' },
      readable: { type: 'boolean', description: 'By the user the task runs as.' },
      writable: { type: 'boolean', description: 'By the user the task runs as.' },
      executable: { type: 'boolean', description: 'By the user the task runs as.' },
    },
  },
  async plan(args, target) {
    const state = await probeFile(target, { path: args.path, hash: args.checksum });
    if (foreseenPath(target, state.path)) return { changes: [], unknown: `${state.path} is about to be changed` };
    return { changes: [], facts: statFacts(state, args.follow) };
  },
});

function statFacts(state: FileState, follow: boolean) {
  const found = follow ? state.real : state.entry;
  return {
    path: state.path,
    exists: found !== undefined,
    type: found?.type ?? null,
    mode: found ? formatMode(found.mode) : null,
    size: found?.size ?? null,
    owner: found?.owner ?? null,
    group: found?.group ?? null,
    uid: found?.uid ?? null,
    gid: found?.gid ?? null,
    mtime: found?.mtime ?? null,
    atime: found?.atime ?? null,
    links: found?.links ?? null,
    inode: found?.inode ?? null,
    link: state.link?.toString() ?? null,
    sha256: (found?.type === 'file' && state.sha256) || null,
    readable: state.readable,
    writable: state.writable,
    executable: state.executable,
  };
}
