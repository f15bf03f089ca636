import { describe, expect, it } from 'vitest';
import { startLab } from '../lab/lab.ts';
import { missingSshd } from '../support/missing.ts';
import { needs } from '../support/needs.ts';
import { sampled } from '../support/size.ts';
import { upgrade } from './support/run-upgrade.ts';
import { cordonedNodes, follow, versions } from './support/timeline.ts';

const TO = 'v1.31.5+k3s1';
const BACKENDS = ['embedded', 'openssh'] as const;

describe.each(sampled(BACKENDS, 1))('one server and two agents over %s', (backend) => {
  it(
    'upgrades them in order, one at a time, and then never again',
    needs(backend === 'openssh' && missingSshd()),
    async () => {
      await using lab = await startLab({ backend });
      const timeline = follow(lab);
      const first = await upgrade(lab, { version: TO });
      expect(first.text).toContain('Done in');
      expect(first.exitCode).toBe(0);
      expect(timeline.steps).toEqual([
        `server-1 runs ${TO}`,
        ...['agent-1', 'agent-2'].flatMap((agent) => [`cordoned ${agent}`, `${agent} runs ${TO}`, `opened ${agent}`]),
      ]);
      expect(timeline.mostCordoned).toBe(1);
      expect(versions(lab)).toEqual({ 'agent-1': TO, 'agent-2': TO, 'server-1': TO });
      expect(cordonedNodes(lab)).toEqual([]);
      expect(first.ended.recap).toMatchObject({
        'server-1': { changed: 4, failed: 0, unknown: 0 },
        'agent-1': { changed: 3, failed: 0, unknown: 0 },
        'agent-2': { changed: 3, failed: 0, unknown: 0 },
      });

      const before = lab.fingerprint();
      const second = await upgrade(lab, { version: TO });
      expect(second.exitCode).toBe(0);
      expect(lab.fingerprint()).toBe(before);
      expect(Object.values(second.ended.recap).map(({ changed }) => changed)).toEqual([0, 0, 0]);
    },
  );
});
