import { defineModule, type ReadTarget, TaskFailure } from '../../runner/module.ts';
import { CHANNEL_URL, readChannels, resolveChannel } from '../shared/k3s-channels.ts';
import { type K3sState, mainUnit, parsedVersion, placeArgs, readK3sState } from '../shared/k3s-state.ts';
import {
  compareK3sVersions,
  hopLine,
  judgeStep,
  type K3sVersion,
  minorChannel,
  parseK3sVersion,
  type Step,
} from '../shared/k3s-version.ts';

export const versionCheck = defineModule({
  name: 'version-check',
  description:
    'Compares the k3s version of a host with the wanted one and refuses a step that Kubernetes does not allow.',
  args: {
    type: 'object',
    additionalProperties: false,
    properties: {
      version: { type: 'string', description: 'The exact version wanted, with its suffix: `v1.31.5+k3s1`.' },
      channel: { type: 'string', description: 'The newest version of this channel: `stable`, `latest`, `v1.31`.' },
      newest_hop: {
        type: 'boolean',
        default: false,
        description:
          'Instead of refusing a wanted version that skips a minor, take the newest version of the next minor on the way.',
      },
      channel_url: { type: 'string', default: CHANNEL_URL, description: 'Address of the channel server.' },
      unit: { type: 'string', description: 'Name of the unit, when it is neither k3s nor k3s-agent.' },
      ...placeArgs,
    },
  },
  shorthand: 'version',
  examples: [
    { title: 'One version for all nodes', yaml: 'version-check: { version: v1.31.5+k3s1 }' },
    { title: 'Follow a channel', yaml: 'version-check: { channel: v1.31 }' },
    { title: 'As far as one step goes', yaml: 'version-check: { channel: stable, newest_hop: true }' },
  ],
  kind: 'check',
  returns: {
    type: 'object',
    properties: {
      installed: { type: ['string', 'null'], description: 'Version of the binary; null when there is none.' },
      target: { type: 'string', description: 'Version to install.' },
      wanted: { type: 'string', description: 'Version asked for; differs from target with `newest_hop`.' },
      upgrade: { type: 'boolean', description: 'The installed version is not the target.' },
      fresh: { type: 'boolean', description: 'k3s is not installed.' },
      role: { type: 'string', enum: ['server', 'agent', 'none'], description: 'From the unit on the host.' },
      unit: { type: 'string', description: 'Name of the unit; empty when there is none.' },
      active: { type: 'string', description: 'State of the unit; `inactive` when there is none.' },
      datastore: { type: 'string', enum: ['etcd', 'sqlite', 'external', 'none'], description: 'Of a server.' },
      hops: { type: 'array', items: { type: 'string' }, description: 'Versions to install one after another.' },
      installed_minor: { type: 'integer', description: '31 for v1.31.5+k3s1; -1 when not installed.' },
      target_minor: { type: 'integer', description: 'The same of the target.' },
      same_minor: { type: 'boolean', description: 'Both are of one minor: agents may go first.' },
    },
  },
  notes:
    'Without `version` and `channel` the channel is `stable`. Kubernetes keeps API servers within one minor of each ' +
    'other and allows no kubelet newer than its API server. Whether the order of a play respects that is for an ' +
    '`assert` over `installed_minor` and `target_minor` of all hosts to say.',
  check(args) {
    const { version, channel } = args;
    if (typeof version === 'string' && version !== '' && typeof channel === 'string' && channel !== '') {
      if (!version.includes('{{') && !channel.includes('{{')) return 'give `version` or `channel`, not both';
    }
    return undefined;
  },
  async plan(args, target) {
    const state = await readK3sState(target, args, args.unit ? { names: [args.unit] } : {});
    const { wanted, channels } = await wantedVersion(args, target);
    const installed = parsedVersion(state);
    const newest = (channel: string) => channels.get(channel);
    const step = judgeStep(installed, wanted, newest);
    const chosen =
      args.newest_hop && installed ? await nextHop(args.channel_url, target, installed, step, channels) : wanted;
    const facts = factsOf(state, chosen, wanted, step);
    refuse(installed, wanted, step, args.newest_hop, facts);
    const message = facts.upgrade
      ? `${installed?.text ?? 'not installed'} → ${chosen.text}${chosen === wanted ? '' : ` (on the way to ${wanted.text})`}`
      : `already ${chosen.text}`;
    return { changes: [], facts, message };
  },
});

interface Asked {
  version?: string;
  channel?: string;
  newest_hop: boolean;
  channel_url: string;
}

/** The version asked for, and what the channel server knows where it was asked. */
async function wantedVersion(
  args: Asked,
  target: ReadTarget,
): Promise<{ wanted: K3sVersion; channels: Map<string, string> }> {
  const url = args.channel_url;
  if (!args.version) {
    const channels = await readChannels(target, url);
    const text = await resolveChannel(target, url, args.channel || 'stable', channels);
    return { wanted: parseK3sVersion(text)!, channels };
  }
  const wanted = parseK3sVersion(args.version);
  if (!wanted || wanted.build === 0) {
    throw new TaskFailure(`${args.version} is no k3s version`, {
      code: 'bad-version',
      hint: 'it has the form v1.31.5+k3s1; `k3s --version` prints it, and releases of k3s are listed with it',
    });
  }
  // An exact version needs no server: air-gapped sites have none. Hops are then written `v1.30.x`.
  return { wanted, channels: args.newest_hop ? await readChannels(target, url) : new Map() };
}

/** The newest version of the next minor when the way is longer than that, else the wanted one. */
async function nextHop(
  url: string,
  target: ReadTarget,
  installed: K3sVersion,
  step: Step,
  channels: Map<string, string>,
): Promise<K3sVersion> {
  const last = parseK3sVersion(step.hops.at(-1) ?? installed.text)!;
  if (step.verdict !== 'skips-minor' || step.hops.length === 0) return last;
  const channel = minorChannel({ major: installed.major, minor: installed.minor + 1 });
  return parseK3sVersion(await resolveChannel(target, url, channel, channels))!;
}

function factsOf(state: K3sState, target: K3sVersion, wanted: K3sVersion, step: Step) {
  const installed = parsedVersion(state);
  const unit = mainUnit(state);
  return {
    installed: installed?.text ?? null,
    target: target.text,
    wanted: wanted.text,
    upgrade: !installed || compareK3sVersions(installed, target) !== 0,
    fresh: !installed,
    role: unit?.role ?? 'none',
    unit: unit?.name ?? '',
    active: unit?.state.active ?? 'inactive',
    datastore: state.datastore,
    hops: step.hops,
    installed_minor: installed?.minor ?? -1,
    target_minor: target.minor,
    same_minor: installed !== undefined && installed.major === target.major && installed.minor === target.minor,
  };
}

/** Throws TaskFailure `downgrade` or `skipped-minor`, with what to do instead. */
function refuse(
  installed: K3sVersion | undefined,
  wanted: K3sVersion,
  step: Step,
  newestHop: boolean,
  facts: Record<string, unknown>,
): void {
  if (step.verdict === 'downgrade') {
    throw new TaskFailure(`${installed!.text} is installed, which is newer than ${wanted.text}`, {
      code: 'downgrade',
      hint: 'k3s cannot go back: the newer version may have changed the datastore; restore a snapshot instead',
      facts,
    });
  }
  if (step.verdict !== 'skips-minor' || (newestHop && step.hops.length > 0)) return;
  const way = step.hops.length > 0 ? `go one minor at a time: ${hopLine(installed!, step)}` : 'there is no known way';
  throw new TaskFailure(`${installed!.text} → ${wanted.text} skips a minor version, which Kubernetes does not allow`, {
    code: 'skipped-minor',
    hint: way,
    facts,
  });
}
