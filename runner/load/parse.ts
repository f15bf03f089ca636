import { isScalar, type Node, parseDocument as parseYaml, type Scalar, type Document as YamlDocument } from 'yaml';
import { type Diagnostic, InvalidError, type Place } from '../errors.ts';
import { convert, type Tags } from './convert.ts';
import type { Document, Path, TextPlace } from './document.ts';
import { LineIndex } from './line-index.ts';
import { NodeFinder } from './node-finder.ts';
import type { Opener } from './opener.ts';
import { forbiddenCharacter, readText } from './read-text.ts';
import { stringOffsets } from './string-offsets.ts';
import { YAML_1_1_SCALARS } from './yaml-1-1.ts';
import { explainYamlErrors } from './yaml-errors.ts';

export interface LoadOptions {
  /** `1.1` reads yes, no, on, off and 0644 as Ansible does; default 1.2, core schema. */
  yaml?: '1.1' | '1.2';
  /** Further tags of strings: `{ '!vault': (text, place) => new Vaulted(text, place) }`. `!raw` is always known. */
  tags?: Tags;
  /** A key that stands twice in a mapping: `last` takes the later one, with a warning, as Ansible does. */
  duplicateKeys?: 'error' | 'last';
  /** Gets what is worth a warning; without it warnings are dropped. */
  onWarning?: (warning: Diagnostic) => void;
  /** An empty file gives an empty mapping instead of an error. */
  allowEmpty?: boolean;
  /** Opens files and values that are encrypted; without it they are what they are. */
  opener?: Opener | undefined;
  /** The place that names the file, for «no such file». */
  from?: Place;
}

/** Reads and parses a YAML or JSON file, an encrypted one too when `opener` can. Throws InvalidError with all that is wrong with it. */
export function loadDocument(file: string, options: LoadOptions = {}): Document {
  return openWith(options.opener, readText(file, options.from), file, (text, isOpened) =>
    parseDocument(text, file, isOpened ? { ...options, allowEmpty: true } : options),
  );
}

/** Parses a file's text with `parse`, after it was decrypted or before its values are, as `opener` can. Throws InvalidError. */
export function openWith(
  opener: Opener | undefined,
  text: string,
  file: string,
  parse: (text: string, isOpened: boolean) => Document,
): Document {
  const plain = opener?.openText(text, file);
  if (!opener) return parse(text, false);
  if (plain === undefined) return opener.openDocument(parse(text, false));
  return opener.parseOpened(text, file, () => parse(plain, true));
}

/** Parses YAML or JSON text. Throws InvalidError with all that is wrong with it. */
export function parseDocument(text: string, file: string, options: LoadOptions = {}): Document {
  const lines = new LineIndex(text.startsWith('\ufeff') ? text.slice(1) : text, file);
  const garbage = forbiddenCharacter(lines);
  if (garbage) throw new InvalidError([garbage]);
  const yaml = parse(lines, options);
  const syntax = syntaxErrors(yaml, lines, options);
  if (yaml.errors.length > 0) throw new InvalidError(syntax);
  const root = yaml.contents as Node | null;
  const { value, targets, problems } = convert(root, lines, tagsOf(options), options.duplicateKeys);
  const all = [...syntax, ...problems].filter(({ severity }) => severity === 'error');
  for (const problem of problems) if (problem.severity === 'warning') options.onWarning?.(problem);
  if (all.length === 0 && value === null && !options.allowEmpty) all.push(empty(lines));
  if (all.length > 0) throw new InvalidError(all);
  return new YamlFile(lines, value ?? {}, new NodeFinder(root, targets));
}

function tagsOf({ opener, tags }: LoadOptions): Tags {
  return { ...tags, ...opener?.tags };
}

function parse(lines: LineIndex, options: LoadOptions): YamlDocument {
  try {
    // Duplicate keys and merge keys are ours: the parser's check is quadratic in the keys of a mapping.
    const yaml = parseYaml(lines.text, {
      version: options.yaml ?? '1.2',
      schema: options.yaml === '1.1' ? 'failsafe' : 'core',
      customTags: options.yaml === '1.1' ? (base) => [...base, ...YAML_1_1_SCALARS] : null,
      uniqueKeys: false,
      merge: false,
      prettyErrors: false,
      logLevel: 'error',
    });
    // The parser takes a stack that is full for a mistake of the file.
    const full = yaml.errors.find(({ message }) => /call stack|stack overflow/i.test(message));
    if (full) throw nestedTooDeep(lines, full.pos[0]);
    return yaml;
  } catch (error) {
    throw error instanceof RangeError ? nestedTooDeep(lines, 0) : error;
  }
}

function nestedTooDeep(lines: LineIndex, at: number): InvalidError {
  const message = 'nested too deep to be read';
  return new InvalidError([{ code: 'nested-too-deep', severity: 'error', message, place: lines.place(at) }]);
}

function syntaxErrors(yaml: YamlDocument, lines: LineIndex, options: LoadOptions): Diagnostic[] {
  const known = new Set(['!raw', ...Object.keys(tagsOf(options))]);
  const warnings = yaml.warnings.filter((w) => !known.has(w.message.replace(/^Unresolved tag: /, '')));
  const found = explainYamlErrors([...yaml.errors, ...warnings], lines);
  if (options.yaml !== '1.1' && yaml.directives?.yaml.explicit && yaml.directives.yaml.version !== '1.2') {
    found.push({
      code: 'yaml-version',
      severity: 'error',
      message: 'this file asks for YAML 1.1; reeve reads YAML 1.2',
      place: lines.place(lines.text.indexOf('%YAML')),
      hint: 'remove the directive; yes, no, on and off are plain text in YAML 1.2: write true or false',
    });
  }
  return found;
}

function empty(lines: LineIndex): Diagnostic {
  return {
    code: 'empty-file',
    severity: 'error',
    message: lines.text.trim() === '' ? 'this file is empty' : 'this file holds nothing but comments',
    place: lines.place(0),
  };
}

class YamlFile implements Document {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  readonly #lines: LineIndex;
  readonly #finder: NodeFinder;

  constructor(lines: LineIndex, value: unknown, finder: NodeFinder) {
    this.file = lines.file;
    this.text = lines.text;
    this.value = value;
    this.#lines = lines;
    this.#finder = finder;
  }

  place(path: Path, of: 'key' | 'value' = 'value'): Place {
    const found = this.#finder.find(path);
    const node = of === 'key' && found.exact && found.key ? found.key : found.node;
    return this.#lines.place(node?.range?.[0] ?? 0, node?.range?.[1]);
  }

  textPlace(path: Path): TextPlace {
    const found = this.#finder.find(path);
    const node = this.#finder.resolve(found.node);
    const start = node?.range?.[0] ?? 0;
    let offsets: number[] | undefined;
    const lines = this.#lines;
    return {
      placeAt(offset) {
        offsets ??= (found.exact && isScalar(node) && stringOffsets(lines.text, node as Scalar.Parsed)) || [start];
        return lines.place(offsets[Math.max(0, Math.min(offset, offsets.length - 1))] ?? start);
      },
    };
  }
}
