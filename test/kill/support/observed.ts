import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modules } from '../../../modules/index.ts';
import type { RunEvent } from '../../../runner/events.ts';
import { planUndo, type UndoStep } from '../../../runner/execute/undo-plan.ts';
import type { KubeObject } from '../../lab/api/objects.ts';
import { hashOf, treeOf } from '../../lab/fingerprint.ts';
import type { UnitEvent } from '../../lab/hosts/types.ts';
import type { Lab } from '../../lab/lab.ts';

/** What a lab shows of a run, one line a fact, without what differs between two labs or two undisturbed runs. */
export interface Observed {
  /** Every object of the API but Leases of nodes. */
  objects: string[];
  /** Every file of every host. */
  files: string[];
  /** What was done, each as often as it was: writes the API took, units started, versions downloaded by the script. */
  effects: string[];
  /** What `reeve rollback` would go by: each effect with all that takes it back. */
  undo: string[];
}

/** What is known of a run beside the lab's state. */
export interface Witness {
  /** What units did since the lab was complete. */
  units: readonly UnitEvent[];
  /** The version upgraded to. */
  version: string;
  /** The journal. */
  events: readonly RunEvent[];
}

/** Everything that outlasts a run, and everything it did, as the lab itself saw it. */
export function observe(lab: Lab, { units, version, events }: Witness): Observed {
  return {
    undo: planUndo(events, modules)
      .map((step) => undoLine(step, lab.dir))
      .sort(),
    objects: lab.api.state.registry.all
      .flatMap((resource) => lab.api.state.list(resource))
      .filter(({ metadata }) => metadata.namespace !== 'kube-node-lease')
      .map(objectLine)
      .sort(),
    files: lab.hosts.hosts.flatMap(({ name, root }) => fileLines(name, root)),
    effects: [
      ...lab.api.mutations.filter(({ path }) => !isOwnLock(path)).map((entry) => writeLine(entry)),
      ...units.filter(({ state }) => state === 'activating').map(({ host, unit }) => `${host} started ${unit}`),
      // Asked for once by each run of the install script.
      ...lab.artifacts.requests.filter((path) => path.endsWith('.txt') && path.includes(version)),
    ].sort(),
  };
}

/** Evictions that could not do any good: of a pod that had left, or of one that was evicted already. */
export function vainEvictions(lab: Lab): string[] {
  const evictions = lab.api.requests.filter((entry) => entry.subresource === 'eviction' && !entry.dryRun);
  const accepted = new Set<string>();
  return evictions.flatMap(({ code, path }) => {
    if (code === 404) return [`gone: ${path}`];
    if (code >= 300) return [];
    if (accepted.has(path)) return [`again: ${path}`];
    accepted.add(path);
    return [];
  });
}

/** The playbook's lock is taken and given back by each process of a run. */
function isOwnLock(path: string): boolean {
  return /\/kube-system\/leases(\/reeve-|$)/.test(path);
}

function writeLine({ method, path, code }: { method: string; path: string; code: number }): string {
  return `${method} ${podless(path)} ${code}`;
}

function undoLine({ host, task, undo, cannot }: UndoStep, dir: string): string {
  const way = cannot ?? JSON.stringify(undo);
  return timeless(`${host} ${task.id} ${way}`).replaceAll(dir, '<lab>');
}

/** What the cluster has made up for this object, or for this lab. */
const MADE_UP = new Set([
  ...['uid', 'resourceVersion', 'podIP', 'podIPs', 'hostIP', 'hostIPs', 'containerID', 'creationTime'],
  ...['bootID', 'machineID', 'systemUUID'],
]);

function objectLine(object: KubeObject): string {
  const text = JSON.stringify(object, (key, value) => (MADE_UP.has(key) ? undefined : value));
  return timeless(podless(text)).replace(/"file:\/\/\S*?\/([a-z]+-\d+\/var\/)/g, '"file:///$1');
}

/** Names of pods end in two parts that their ReplicaSet and the API make up. */
function podless(text: string): string {
  return text.replace(/\b([a-z][a-z0-9-]*?)-[a-z0-9]{8,10}-[a-z0-9]{5}\b/g, '$1-*');
}

/** What a clock has made up: moments, durations, the id of the run, and the names of snapshots. */
function timeless(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\b\d{8}-\d{9}-[0-9a-f]{6}\b/g, '<run>')
    .replace(/(duration_seconds\\?":)[\d.]+/g, '$1<seconds>')
    .replace(/(pre-upgrade-[a-z]+-\d+)-\d{10}(-[0-9a-f]{6})?/g, '$1-<time>');
}

/** Every file with mode and content; the ports, the certificates and the folder of the lab are its own. */
function fileLines(host: string, root: string): string[] {
  return [...treeOf(root)].map(([path, what]) => {
    const isFile = lstatSync(join(root, path)).isFile();
    const [kind = '', mode = '', ...rest] = what.split(' ');
    const content = isFile ? hashOf([labless(readFileSync(join(root, path), 'latin1'), root)]) : rest.join(' ');
    return `${host}:${timeless(path)} ${kind} ${mode} ${labless(content, root)}`;
  });
}

function labless(text: string, root: string): string {
  const own = text.replaceAll(root, '<root>').replace(/127\.0\.0\.1:\d+/g, '<address>');
  return own.replace(/((?:authority|certificate|key)-data:) \S+/g, '$1 <pem>');
}
