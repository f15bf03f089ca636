/**
 * The channel server: `GET <url>` lists channels as `data[]` of `id`, `name`, `latest`; `GET <url>/<name>` answers 302 with
 * a Location that ends in the version (k3s-io/k3s channel.yaml, served by rancher/channelserver).
 */
import { type HttpRequest, type HttpResponse, type ReadTarget, ReeveError, TaskFailure } from '../../runner/module.ts';
import { parseK3sVersion } from './k3s-version.ts';

export const CHANNEL_URL = 'https://update.k3s.io/v1-release/channels';

interface ChannelList {
  data?: { id?: string; name?: string; latest?: string }[];
}

/** @throws TaskFailure `channel-server` */
async function ask(target: ReadTarget, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await target.http(request);
  } catch (error) {
    if (!(error instanceof ReeveError) || target.signal.aborted) throw error;
    throw new TaskFailure(`the channel server does not answer: ${error.message}`, {
      code: 'channel-server',
      hint: 'an exact version (`version`) needs no channel server; `channel_url` names another one',
      cause: error,
    });
  }
}

/** Versions by channel; empty when this server (a mirror, say) has no list. */
export async function readChannels(target: ReadTarget, url: string): Promise<Map<string, string>> {
  const answer = await ask(target, { url, headers: { accept: 'application/json' }, timeout: 30_000 });
  const channels = new Map<string, string>();
  if (answer.status !== 200) return channels;
  let list: ChannelList;
  try {
    list = JSON.parse(answer.body.toString('utf8')) as ChannelList;
  } catch {
    return channels;
  }
  for (const { id, name, latest } of list.data ?? []) {
    const key = name ?? id;
    if (key !== undefined && latest !== undefined && parseK3sVersion(latest)) channels.set(key, latest);
  }
  return channels;
}

/** The version that a channel stands for. Throws TaskFailure `unknown-channel`. */
export async function resolveChannel(
  target: ReadTarget,
  url: string,
  channel: string,
  channels: Map<string, string>,
): Promise<string> {
  const listed = channels.get(channel);
  if (listed !== undefined) return listed;
  const address = `${url.replace(/\/+$/, '')}/${encodeURIComponent(channel)}`;
  const answer = await ask(target, { url: address, redirect: false, timeout: 30_000 });
  const location = answer.headers.location ?? '';
  const version = decodeURIComponent(location.split('/').at(-1) ?? '');
  if (answer.status >= 300 && answer.status < 400 && parseK3sVersion(version)) return version;
  const known = [...channels.keys()].join(', ');
  throw new TaskFailure(`${address} knows no version for the channel ${channel} (answer ${answer.status})`, {
    code: 'unknown-channel',
    ...(known ? { hint: `channels there: ${known}` } : {}),
  });
}
