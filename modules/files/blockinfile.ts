import { defineModule, TaskFailure } from '../../runner/module.ts';
import { editArguments, planEdit } from '../shared/edit.ts';
import { type InsertArgs, insertArguments, insertionPlace, insertProblem } from '../shared/insert.ts';
import { patternProblem } from '../shared/pattern.ts';
import { FILE_NEEDS } from '../shared/stat.ts';
import { insertLines, joinLines, type Line, splitLines, type TextDocument } from '../shared/text.ts';
import { applyWrite, fileFactsSchema, undoWrite, type WriteStep, type WriteUndo } from '../shared/write.ts';

interface BlockArgs extends InsertArgs {
  path: string;
  block: string;
  marker: string;
  marker_begin: string;
  marker_end: string;
  state: 'present' | 'absent';
}

export const blockinfile = defineModule({
  name: 'blockinfile',
  description: 'Keeps a block of lines between two marker lines in a text file.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: {
      state: {
        type: 'string',
        enum: ['present', 'absent'],
        default: 'present',
        description: 'In the file, or not in it.',
      },
      block: {
        type: 'string',
        default: '',
        description: 'The lines; an empty block is removed together with its markers.',
      },
      marker: {
        type: 'string',
        default: '# {mark} MANAGED BY REEVE',
        pattern: '^[^\\r\\n]*\\{mark\\}[^\\r\\n]*$',
        description:
          'Marker line; {mark} becomes marker_begin and marker_end. Two blocks in one file need two markers.',
      },
      marker_begin: { type: 'string', default: 'BEGIN', description: 'What {mark} is in the first marker line.' },
      marker_end: { type: 'string', default: 'END', description: 'What {mark} is in the last marker line.' },
      ...insertArguments('block'),
      ...editArguments,
    },
  },
  examples: [
    {
      title: 'Names of the nodes',
      yaml: 'blockinfile: { path: /etc/hosts, block: "10.0.0.1 k3s-1\\n10.0.0.2 k3s-2\\n" }',
    },
    {
      title: 'A block that Ansible made, taken over',
      yaml: 'blockinfile: { path: /etc/sysctl.conf, marker: "# {mark} ANSIBLE MANAGED BLOCK", block: "vm.swappiness = 0" }',
    },
    { title: 'Gone', yaml: 'blockinfile: { path: /etc/hosts, state: absent }' },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: { type: 'object', additionalProperties: false, properties: fileFactsSchema },
  notes:
    'A block that exists stays where it is. Markers that are not exactly one pair are an error, since nobody can tell which lines are the block.',
  check(args) {
    const { block, marker, marker_begin: begin, marker_end: end } = args as unknown as BlockArgs;
    if (begin === end) return 'marker_begin and marker_end must differ';
    const markers = [begin, end].map((mark) => marker?.replaceAll('{mark}', mark));
    if (block?.split(/\r*(?:\n|$)/).some((line) => markers.includes(line)))
      return 'the block holds one of its own marker lines';
    if (/[\r\n]/.test(`${begin}${end}`)) return 'a marker is one line';
    return insertProblem(args) ?? patternProblem(args, ['insertafter', 'insertbefore']);
  },
  async plan(args, target) {
    const { block, marker, marker_begin, marker_end, insertafter, insertbefore, state, ...file } = args;
    const gone = state === 'absent' || block === '';
    const edit = (text: string, document: TextDocument) => editBlock(text, document, args as BlockArgs, gone);
    return planEdit({ ...file, missingIsFine: gone }, target, edit);
  },
  async apply(next: WriteStep, target) {
    const undo = await applyWrite(next, target);
    return { facts: next.facts, ...(undo && { undo }) };
  },
  async undo(undo: WriteUndo, target) {
    await undoWrite(undo, target);
  },
});

function editBlock(text: string, document: TextDocument, args: BlockArgs, gone: boolean): string {
  const lines = splitLines(text);
  const [begin, end] = [args.marker_begin, args.marker_end].map((mark) =>
    document.argument(args.marker.replaceAll('{mark}', mark)),
  ) as [string, string];
  const found = findBlock(lines, begin, end, args.path);
  if (gone) return found ? joinLines(lines.toSpliced(found.first, found.last - found.first + 1)) : text;
  const block = document
    .argument(args.block)
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
  if (!found) return joinLines(insertLines(lines, insertionPlace(lines, document, args), [begin, ...block, end]));
  const inside = lines.slice(found.first + 1, found.last).map((line) => line.text);
  if (inside.length === block.length && inside.every((line, index) => line === block[index])) return text;
  const { end: lineEnd } = lines[found.first]!;
  const replaced = block.map((line): Line => ({ text: line, end: lineEnd }));
  return joinLines(lines.toSpliced(found.first + 1, found.last - found.first - 1, ...replaced));
}

/** @throws TaskFailure `markers` unless there is exactly one pair, or none. */
function findBlock(lines: Line[], begin: string, end: string, path: string) {
  const numbers = (marker: string) => lines.flatMap((line, index) => (line.text === marker ? [index] : []));
  const [begins, ends] = [numbers(begin), numbers(end)];
  if (begins.length === 0 && ends.length === 0) return undefined;
  const [first, last] = [begins[0], ends[0]];
  if (begins.length === 1 && ends.length === 1 && first! < last!) return { first: first!, last: last! };
  const at = [...begins, ...ends].map((index) => index + 1).sort((a, b) => a - b);
  throw new TaskFailure(`${path}: the marker lines are not one pair (found in line ${at.join(', ')})`, {
    code: 'markers',
    hint: 'mend the file by hand, or give this block a marker of its own',
  });
}
