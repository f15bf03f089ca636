import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { EXIT, ReeveError } from '../errors.ts';

export interface KubeconfigSource {
  text: string;
  /** Where the text came from, for messages. */
  origin: string;
  /** Directory that relative file names in it are resolved against. */
  directory?: string;
}

/**
 * Reads kubeconfigs, the first of several winning for each name as kubectl does it, and chooses the context.
 * The client package is imported here and only here, and of it what reads kubeconfigs: the published program holds no more.
 * @throws ReeveError `kubeconfig-invalid`, which never quotes the file: it is full of secrets.
 */
export async function parseKubeconfig(sources: KubeconfigSource[], context?: string): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node/dist/config.js');
  const merged = new Config();
  for (const source of sources) {
    const config = new Config();
    try {
      config.loadFromString(source.text);
    } catch (cause) {
      throw invalid(`The kubeconfig ${source.origin} cannot be read${positionOf(cause)}`);
    }
    if (source.directory !== undefined) resolvePaths(config, source.directory);
    mergeFirstWins(merged, config);
  }
  if (context !== undefined) merged.setCurrentContext(context);
  requireCluster(merged, sources.map((source) => source.origin).join(', '));
  return merged;
}

/** The files of a KUBECONFIG-like list. Missing ones of several are left out, as kubectl does it. */
export function readKubeconfigFiles(paths: string): KubeconfigSource[] {
  const files = paths.split(':').filter((path) => path !== '');
  const sources: KubeconfigSource[] = [];
  for (const file of files) {
    try {
      sources.push({ text: readFileSync(file, 'utf8'), origin: file, directory: dirname(resolve(file)) });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT' && files.length > 1) continue;
      throw invalid(`The kubeconfig ${file} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}`);
    }
  }
  if (sources.length === 0) throw invalid(`None of the kubeconfigs exists: ${files.join(', ') || 'none is named'}`);
  return sources;
}

function mergeFirstWins(into: KubeConfig, from: KubeConfig): void {
  const unknown = <T extends { name: string }>(have: T[], more: T[]): T[] =>
    more.filter((item) => !have.some((present) => present.name === item.name));
  into.clusters = [...into.clusters, ...unknown(into.clusters, from.clusters)];
  into.users = [...into.users, ...unknown(into.users, from.users)];
  into.contexts = [...into.contexts, ...unknown(into.contexts, from.contexts)];
  into.currentContext ||= from.currentContext;
}

/** The package resolves certificates itself, but not the command of an exec plug-in, which kubectl resolves too. */
function resolvePaths(config: KubeConfig, directory: string): void {
  config.makePathsAbsolute(directory);
  for (const user of config.users) {
    const { exec } = user;
    if (typeof exec?.command === 'string' && exec.command.includes('/'))
      exec.command = resolve(directory, exec.command);
  }
}

function requireCluster(config: KubeConfig, origin: string): void {
  const context = config.getCurrentContext();
  const known = config.getContexts().map((item) => item.name);
  if (!context || !known.includes(context)) {
    const message = context ? `has no context «${context}»` : 'chooses no context (current-context is empty)';
    throw invalid(`The kubeconfig ${origin} ${message}`, `Contexts in it: ${known.join(', ') || 'none'}.`);
  }
  if (!config.getCurrentCluster()) throw invalid(`The cluster of context «${context}» is missing in ${origin}`);
  if (!config.getCurrentUser()) throw invalid(`The user of context «${context}» is missing in ${origin}`);
}

/** The line of a YAML error, without the snippet that the parser adds to its message. */
function positionOf(cause: unknown): string {
  const line = (cause as { mark?: { line?: number } } | undefined)?.mark?.line;
  if (line !== undefined) return `: it is no valid YAML in line ${line + 1}`;
  const message = cause instanceof Error ? cause.message : '';
  return /^(clusters|users|contexts)\[\d+\]\.[\w.]+ is missing$/.test(message)
    ? `: ${message}`
    : ': it is no kubeconfig';
}

function invalid(message: string, hint?: string): ReeveError {
  return new ReeveError('kubeconfig-invalid', message, { hint, exitCode: EXIT.invalid });
}
