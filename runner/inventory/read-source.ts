import { extname } from 'node:path';
import { type Diagnostic, InvalidError } from '../errors.ts';
import { toPlain } from '../language/access.ts';
import type { Document } from '../load/document.ts';
import { LineIndex } from '../load/line-index.ts';
import type { Opener } from '../load/opener.ts';
import { parseDocument } from '../load/parse.ts';
import { forbiddenCharacter } from '../load/read-text.ts';
import { readIni } from './ansible/ini.ts';
import { readAnsibleYaml } from './ansible/yaml.ts';
import type { InventoryBuilder } from './builder.ts';
import { REEVE, type ValueDialect } from './definitions.ts';
import { type Dialect, openFile, parseAnsible, parseReeve, saysReeve } from './dialect.ts';
import { readHostNames } from './host-names.ts';
import { readJsonInventory } from './json-inventory.ts';
import { readInventory } from './reeve-yaml.ts';

export interface Reading {
  dialect: Dialect;
  diagnostics: Diagnostic[];
}

/** Reads a file with an inventory, in whichever dialect and format it is, into the builder. */
export function readInventoryFile(file: string, builder: InventoryBuilder, opener?: Opener): Reading {
  const reading: Reading = { dialect: 'ansible', diagnostics: [] };
  try {
    if (extname(file) === '.toml') throw new InvalidError([noToml(file)]);
    let ini: string | undefined;
    let isEncrypted = false;
    const document = openFile(file, opener, (text, isOpened) => {
      isEncrypted = isOpened;
      if (saysReeve(text)) {
        reading.dialect = 'reeve';
        return parseReeve(text, file, { opener, allowEmpty: isOpened });
      }
      if (isYaml(file, text)) return parseAnsible(text, file, { opener, warn: (one) => reading.diagnostics.push(one) });
      ini = text;
      return NO_DOCUMENT;
    });
    const seal = isEncrypted && opener ? sealWith(opener) : undefined;
    if (ini !== undefined) reading.diagnostics.push(...readIniText(ini, file, builder, seal));
    else if (reading.dialect === 'reeve') reading.diagnostics.push(...readReeve(document, builder, seal));
    else reading.diagnostics.push(...readYaml(document, builder, seal));
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    reading.diagnostics.push(...error.diagnostics);
  }
  return reading;
}

type Seal = NonNullable<ValueDialect['seal']>;

/** What stays open because it is a template is no less secret. */
function sealWith(opener: Opener): Seal {
  return (value) => {
    opener.learn(value);
    return opener.seal(value);
  };
}

/** INI is read line by line, not as a document. */
const NO_DOCUMENT = parseDocument('', '(ini)', { allowEmpty: true });

function readReeve(document: Document, builder: InventoryBuilder, seal?: Seal): Diagnostic[] {
  const value = document.value as Record<string, unknown>;
  if (!isMapping(value)) return [notMapping(document)];
  if (toPlain(value.reeve) === 1) return readInventory(document, builder, { ...REEVE, seal });
  const message = `this version of reeve reads inventories that say \`reeve: 1\``;
  return [{ code: 'inventory-dialect', severity: 'error', message, place: document.place(['reeve'], 'key') }];
}

function readYaml(document: Document, builder: InventoryBuilder, seal?: Seal): Diagnostic[] {
  const { value } = document;
  if (!isMapping(value)) return [notMapping(document)];
  if (typeof value.plugin === 'string') return [hiddenPlugin(document)];
  if (Object.keys(value).length > 0) return readAnsibleYaml(document, builder, { isForeign: true, seal });
  const isEmpty = document.text.trim() === '';
  const message = isEmpty ? 'this file is empty' : 'this file holds nothing but comments';
  return [{ code: 'empty-file', severity: 'error', message, place: { file: document.file, line: 1, column: 1 } }];
}

function readIniText(text: string, file: string, builder: InventoryBuilder, seal?: Seal): Diagnostic[] {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  const garbage = forbiddenCharacter(new LineIndex(plain, file));
  return garbage ? [garbage] : readIni(plain, file, builder, seal);
}

/** Files with such an ending hold YAML; others are judged by their first line with content. */
function isYaml(file: string, text: string): boolean {
  const ending = extname(file);
  if (['.yml', '.yaml', '.json'].includes(ending)) return true;
  if (ending !== '') return false;
  const first = /^[ \t]*([^\s#].*)$/m.exec(text)?.[1] ?? '';
  return /^(?:---|%YAML|\{)|^(?:"[^"]*"|'[^']*'|[^\s='"[]+)\s*:(?:\s|$)/.test(first);
}

/** Adds the hosts of `-i web1,web2:2222,`; ranges are expanded. */
export function readHostList(source: string, builder: InventoryBuilder): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const written of source.split(',').map((part) => part.trim())) {
    if (written === '') continue;
    const hosts = readHostNames(written);
    if ('problem' in hosts) {
      diagnostics.push({ code: 'invalid-range', severity: 'error', message: `-i ${source}: ${hosts.problem}` });
      continue;
    }
    const { names, port } = hosts;
    const json = { _meta: { hostvars: {} as Record<string, unknown> }, ungrouped: { hosts: [] as string[] } };
    for (const name of names.filter((name) => !builder.hosts.has(name))) {
      json.ungrouped.hosts.push(name);
      if (port !== undefined) json._meta.hostvars[name] = { ansible_port: port };
    }
    diagnostics.push(...readJsonInventory(json, `-i ${source}`, builder));
  }
  return diagnostics;
}

/** Whoever looks for plugins does not decrypt. */
function hiddenPlugin(document: Document): Diagnostic {
  return {
    code: 'plugin-encrypted',
    severity: 'error',
    message: 'this is the file of an inventory plugin, which cannot be encrypted as a whole',
    place: document.place(['plugin'], 'key'),
    hint: 'decrypt it, and encrypt single values: `token_secret: !vault …`',
  };
}

function noToml(file: string): Diagnostic {
  return {
    code: 'inventory-toml',
    severity: 'error',
    message: 'inventories in TOML are not read',
    place: { file, line: 1, column: 1 },
    hint: '`ansible-inventory -i FILE --list --yaml --export` rewrites it as YAML',
  };
}

function notMapping(document: Document): Diagnostic {
  const message = 'an inventory takes a mapping of groups';
  return { code: 'expected-mapping', severity: 'error', message, place: document.place([]) };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
