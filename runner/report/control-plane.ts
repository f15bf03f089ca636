import type { ApiWatch } from './api-watches.ts';
import type { RunRecord } from './record.ts';
import { shownDuration } from './time.ts';

/** A time in which something was away, in milliseconds since 1970. */
interface Span {
  from: number;
  until: number;
  /** milliseconds; measured by a clock that does not jump where there was one. */
  duration: number;
  /** It had not come back when nobody looked any more: it lasted at least so long. */
  open: boolean;
  detail: string;
}

/** One API server, and when it did not answer. */
export interface ServerGaps {
  /** `https://10.0.0.1:6443 through server-1` */
  asked: string;
  spans: Span[];
}

/** The control plane of a cluster as a run saw it. */
export interface ControlPlane {
  /** Milliseconds from one question to the next: how exactly the ends of gaps are known. */
  interval: number;
  /** When it was asked first and last. */
  since: number;
  until: number;
  servers: ServerGaps[];
  /** When no server that was asked answered. */
  away: Span[];
  /** Sum of `away`, in milliseconds. */
  duration: number;
}

/** What the run measured of each cluster it used; empty for a check, and for runs from before it was measured. */
export function controlPlanes({ apiWatches, lastAt }: Pick<RunRecord, 'apiWatches' | 'lastAt'>): ControlPlane[] {
  const clusters = Map.groupBy(apiWatches, ({ cluster }) => cluster);
  return [...clusters.values()].map((watches) => {
    const servers = [...Map.groupBy(watches, askedAt)].map(([asked, parts]) => ({
      asked,
      spans: parts.flatMap((watch) => spansOf(watch, lastAt)),
    }));
    const away = servers.length === 1 ? servers[0]!.spans : commonSpans(watches, lastAt);
    return {
      interval: Math.max(...watches.map(({ interval }) => interval)),
      since: Math.min(...watches.map(({ since }) => Date.parse(since))),
      until: Math.max(...watches.map(({ until = lastAt }) => Date.parse(until))),
      ...{ servers, away, duration: away.reduce((sum, { duration }) => sum + duration, 0) },
    };
  });
}

/** `https://127.0.0.1:6443 through server-1` */
export function askedAt({ server, via }: Pick<ApiWatch, 'server' | 'via'>): string {
  return via === 'kubeconfig' ? server : `${server} through ${via}`;
}

function spansOf(watch: ApiWatch, lastAt: string): Span[] {
  return watch.gaps.map(({ from, until = watch.until ?? lastAt, duration, detail }) => {
    const [begin, end] = [Date.parse(from), Date.parse(until)];
    const measured = duration ?? Math.max(0, end - begin);
    return { from: begin, until: end, duration: measured, open: duration === undefined, detail };
  });
}

/**
 * The times in which every server that was asked at that moment was away. What is shorter than the interval is none: the
 * end of one server's gap is seen so much later, when the next one may have gone already.
 */
function commonSpans(watches: readonly ApiWatch[], lastAt: string): Span[] {
  const all = watches.map((watch) => ({
    since: Date.parse(watch.since),
    until: Date.parse(watch.until ?? lastAt),
    spans: spansOf(watch, lastAt),
  }));
  const times = all.flatMap(({ since, until, spans }) => [
    ...[since, until],
    ...spans.flatMap((span) => [span.from, span.until]),
  ]);
  const edges = [...new Set(times)].sort((a, b) => a - b);
  const found: Span[] = [];
  for (const [index, from] of edges.slice(0, -1).entries()) {
    const until = edges[index + 1]!;
    const asked = all.filter((one) => one.since <= from && until <= one.until);
    const gone = asked.map(({ spans }) => spans.find((span) => span.from <= from && until <= span.until));
    if (gone.length === 0 || gone.some((span) => span === undefined)) continue;
    const last = found.at(-1);
    const open = gone.every((span) => span!.open && span!.until === until);
    if (last?.until === from) Object.assign(last, { until, duration: until - last.from, open });
    else found.push({ from, until, duration: until - from, open, detail: gone[0]!.detail });
  }
  const interval = Math.max(...watches.map((watch) => watch.interval));
  return found.filter(({ duration }) => duration >= interval);
}

/** `4.0 s (03:04:11 to 03:04:15: connection refused)` */
export function shownSpan({ from, until, duration, open, detail }: Span): string {
  const how = detail === '' ? '' : `: ${detail}`;
  const length = `${open ? 'at least ' : ''}${shownDuration(duration)}`;
  return `${length} (${clockOf(from)} to ${clockOf(until)}${open ? ', still away then' : ''}${how})`;
}

/** How a control plane was asked: what its gaps are worth. */
export function shownAsking({ interval, since, until, servers }: ControlPlane): string {
  const names = servers.map(({ asked }) => asked);
  const every = interval === 1_000 ? 'second' : `${interval / 1_000} s`;
  return `asked every ${every} from ${clockOf(since)} to ${clockOf(until)} at ${names.join(', ')}`;
}

function clockOf(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}
