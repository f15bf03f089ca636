import semver from 'semver';

/** A version for comparisons in conditions: `semver(a) < semver(b)`. Build suffixes such as `+k3s1` count. */
export class Version {
  readonly text: string;
  readonly parsed: semver.SemVer;

  private constructor(text: string, parsed: semver.SemVer) {
    this.text = text;
    this.parsed = parsed;
  }

  /** A leading `v` is allowed and missing parts are zero (`1.30`). Undefined when the text is no version. */
  static parse(text: string): Version | undefined {
    const trimmed = text.trim();
    const short = /^v?(\d+)(?:\.(\d+))?$/i.exec(trimmed);
    const parsed = semver.parse(short ? `${short[1]}.${short[2] ?? 0}.0` : trimmed);
    return parsed ? new Version(trimmed, parsed) : undefined;
  }

  /** Negative, zero or positive. Semver's own order ignores the build suffix; here k3s2 < k3s10 decides a tie. */
  compare(other: Version): number {
    const order = this.parsed.compare(other.parsed);
    return order !== 0 ? order : compareBuilds(this.parsed.build.join('.'), other.parsed.build.join('.'));
  }
}

function compareBuilds(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const one = left[index] ?? '';
    const two = right[index] ?? '';
    if (one === two) continue;
    const bothNumbers = /^\d/.test(one) && /^\d/.test(two);
    if (bothNumbers && Number(one) !== Number(two)) return Number(one) < Number(two) ? -1 : 1;
    if (!bothNumbers) return one < two ? -1 : 1;
  }
  return 0;
}
