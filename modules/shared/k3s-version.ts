/** k3s versions: `v1.31.5+k3s1`, `v1.32.0-rc2+k3s1`. semver ignores what follows the plus sign; k3s releases differ in it. */
import { compare as compareSemver } from 'semver';

export interface K3sVersion {
  /** Always with its `v`: `v1.31.5+k3s1`. */
  text: string;
  major: number;
  minor: number;
  patch: number;
  /** `rc2`; empty for a release. */
  pre: string;
  /** The N of `+k3sN`; 0 when there is none. */
  build: number;
}

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+k3s(\d+))?$/;

/** Undefined when the text is no k3s version. */
export function parseK3sVersion(text: string): K3sVersion | undefined {
  const match = VERSION.exec(text.trim());
  if (!match) return undefined;
  const [, major, minor, patch, pre = '', build] = match;
  return {
    text: text.trim().replace(/^v?/, 'v'),
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    pre,
    build: Number(build ?? 0),
  };
}

/** Negative when a is older, 0 when they are equal, the `+k3sN` counted. */
export function compareK3sVersions(a: K3sVersion, b: K3sVersion): number {
  const core = (v: K3sVersion) => `${v.major}.${v.minor}.${v.patch}${v.pre ? `-${v.pre}` : ''}`;
  return compareSemver(core(a), core(b)) || a.build - b.build;
}

/** The oldest of some versions; what is none is left out. Undefined when none is left. */
export function oldestK3sVersion(texts: readonly string[]): string | undefined {
  const versions = texts.flatMap((text) => parseK3sVersion(text) ?? []);
  return versions.sort(compareK3sVersions)[0]?.text;
}

/** The first line of `k3s --version`: `k3s version v1.31.5+k3s1 (hash)`. Undefined when it is something else. */
export function versionOfOutput(output: string): string | undefined {
  const found = /^k3s version (\S+)/m.exec(output)?.[1];
  return found !== undefined && parseK3sVersion(found) ? found : undefined;
}

/** `v1.31`: the name of the channel that follows a minor. */
export function minorChannel(version: { major: number; minor: number }): string {
  return `v${version.major}.${version.minor}`;
}

export interface Step {
  verdict: 'fresh' | 'same' | 'upgrade' | 'downgrade' | 'skips-minor';
  /** What to install one after another, the wanted version last; empty when there is nothing to do. */
  hops: string[];
}

/**
 * Whether one version may follow the other. Kubernetes allows no minor to be skipped and no way back.
 * @param newest the newest version of a channel such as `v1.30`, where it is known; hops name it, else `v1.30.x`.
 */
export function judgeStep(
  installed: K3sVersion | undefined,
  wanted: K3sVersion,
  newest: (channel: string) => string | undefined = () => undefined,
): Step {
  if (!installed) return { verdict: 'fresh', hops: [wanted.text] };
  const order = compareK3sVersions(installed, wanted);
  if (order === 0) return { verdict: 'same', hops: [] };
  if (order > 0) return { verdict: 'downgrade', hops: [] };
  if (installed.major !== wanted.major) return { verdict: 'skips-minor', hops: [] };
  const hops: string[] = [];
  for (let minor = installed.minor + 1; minor < wanted.minor; minor++) {
    const channel = minorChannel({ major: wanted.major, minor });
    hops.push(newest(channel) ?? `${channel}.x`);
  }
  hops.push(wanted.text);
  return { verdict: hops.length > 1 ? 'skips-minor' : 'upgrade', hops };
}

/** `v1.28.9+k3s1 → v1.29.x → v1.30.4+k3s1` */
export function hopLine(installed: K3sVersion, step: Step): string {
  return [installed.text, ...step.hops].join(' → ');
}
