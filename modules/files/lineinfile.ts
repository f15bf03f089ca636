import { defineModule } from '../../runner/module.ts';
import { editArguments, planEdit } from '../shared/edit.ts';
import { findLine, type InsertArgs, insertArguments, insertionPlace, insertProblem } from '../shared/insert.ts';
import { compilePattern, expandGroups, patternProblem } from '../shared/pattern.ts';
import { FILE_NEEDS } from '../shared/stat.ts';
import { insertLines, joinLines, type Line, splitLines, type TextDocument } from '../shared/text.ts';
import { applyWrite, fileFactsSchema, undoWrite, type WriteStep, type WriteUndo } from '../shared/write.ts';

interface LineArgs extends InsertArgs {
  line?: string;
  regexp?: string;
  search_string?: string;
  backrefs: boolean;
  firstmatch: boolean;
  state: 'present' | 'absent';
}

export const lineinfile = defineModule({
  name: 'lineinfile',
  description: 'Keeps one line in a text file, or keeps lines out of it.',
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
      line: { type: 'string', description: 'The line.' },
      regexp: {
        type: 'string',
        description: 'Pattern of the line to replace (the last one that matches), or of the lines to remove.',
      },
      search_string: {
        type: 'string',
        minLength: 1,
        description: 'Like regexp, but plain text found anywhere in a line.',
      },
      ...insertArguments('line'),
      firstmatch: {
        type: 'boolean',
        default: false,
        description: 'Take the first line that matches instead of the last.',
      },
      backrefs: {
        type: 'boolean',
        default: false,
        description: 'Fill \\1 and \\g<name> in line from regexp; without a match the file is left alone.',
      },
      ...editArguments,
    },
  },
  examples: [
    {
      title: 'A setting',
      yaml: "lineinfile: { path: /etc/ssh/sshd_config, regexp: '^#?PermitRootLogin ', line: PermitRootLogin no, validate: 'sshd -t -f %s' }",
    },
    {
      title: 'Part of a line',
      yaml: "lineinfile: { path: /etc/default/grub, regexp: '^(GRUB_TIMEOUT=).*', line: '\\g<1>2', backrefs: true }",
    },
    { title: 'No swap', yaml: "lineinfile: { path: /etc/fstab, regexp: '^[^#].*\\sswap\\s', state: absent }" },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: { type: 'object', additionalProperties: false, properties: fileFactsSchema },
  notes:
    'Patterns are JavaScript regular expressions and see one line at a time, without its end. Line ends (LF or CR LF) stay as ' +
    'they are, and so does every byte of the other lines, also when the file is not UTF-8. Unlike in Ansible, when the line ' +
    'is in the file and does not itself match regexp, no other line is replaced by a second copy of it.',
  check(args) {
    const { line, regexp, search_string: search, state } = args as unknown as LineArgs;
    if (state !== 'absent' && line === undefined) return 'line is needed';
    if ((line ?? regexp ?? search) === undefined) return 'state: absent needs line, regexp or search_string';
    if (line !== undefined && /[\r\n]/.test(line.replace(/\r?\n$/, '')))
      return 'line is one line; use `blockinfile` for several';
    if (regexp !== undefined && search !== undefined) return 'give either regexp or search_string';
    if (args.backrefs && regexp === undefined) return 'backrefs needs regexp';
    return insertProblem(args) ?? patternProblem(args, ['regexp', 'insertafter', 'insertbefore']);
  },
  async plan(args, target) {
    const { line, regexp, search_string, insertafter, insertbefore, backrefs, firstmatch, state, ...file } = args;
    const edit = (text: string, document: TextDocument) => editLines(text, document, args as LineArgs);
    return planEdit({ ...file, missingIsFine: state === 'absent' }, target, edit);
  },
  async apply(next: WriteStep, target) {
    const undo = await applyWrite(next, target);
    return { facts: next.facts, ...(undo && { undo }) };
  },
  async undo(undo: WriteUndo, target) {
    await undoWrite(undo, target);
  },
});

function editLines(text: string, document: TextDocument, args: LineArgs): string {
  const lines = splitLines(text);
  const wanted = args.line === undefined ? undefined : document.argument(args.line.replace(/\r?\n$/, ''));
  const matches = matcher(args, document);
  if (args.state === 'absent') {
    return joinLines(lines.filter((line) => !(matches ? matches(line.text) : line.text === wanted)));
  }
  return joinLines(withLine(lines, wanted!, matches, document, args));
}

function matcher(args: LineArgs, document: TextDocument): ((line: string) => boolean) | undefined {
  if (args.search_string !== undefined) {
    const search = document.argument(args.search_string);
    return (line) => line.includes(search);
  }
  if (args.regexp === undefined) return undefined;
  const pattern = compilePattern(document.argument(args.regexp));
  return (line) => pattern.test(line);
}

function withLine(
  lines: Line[],
  wanted: string,
  matches: ((line: string) => boolean) | undefined,
  document: TextDocument,
  args: LineArgs,
): Line[] {
  const present = lines.some((line) => line.text === wanted);
  // A line that its own pattern does not match would otherwise replace one matching line more on every run.
  if (present && !args.backrefs && !matches?.(wanted)) return lines;
  const at = matches ? findLine(lines, matches, args.firstmatch) : -1;
  if (at >= 0) {
    const found = lines[at]!;
    const match = args.backrefs ? compilePattern(document.argument(args.regexp!)).exec(found.text) : undefined;
    const text = match ? expandGroups(wanted, match) : wanted;
    return lines.with(at, { ...found, text });
  }
  if (args.backrefs || present) return lines;
  return insertLines(lines, insertionPlace(lines, document, args, args.firstmatch), [wanted]);
}
