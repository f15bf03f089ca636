import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { skewOf } from '../../../runner/cli/doctor/host-checks.ts';
import { createClient } from '../../lab/api/client.ts';
import { startHosts } from '../../lab/hosts/start-hosts.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { CliFolder, inventoryOf } from '../../support/cli.ts';
import { large } from '../../support/size.ts';

const folder = new CliFolder();
afterAll(() => folder[Symbol.dispose]());

interface Finding {
  subject: string;
  check: string;
  level: string;
  message: string;
  fix?: string;
}

/** What doctor would mend. Without root the lab's login user is not root, and doctor rightly warns of that too. */
const isWrong = ({ level, check }: Finding) => level !== 'ok' && (process.getuid?.() === 0 || check !== 'become');

async function examine(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, stdout, stderr } = await folder.run(['doctor', ...args, '--output', 'json'], env);
  expect(stderr).toBe('');
  return {
    code,
    findings: stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  };
}

describe('skewOf', () => {
  it.each([
    ['the same second', 100, 100_400, 100_600, 0],
    ['ahead', 110, 99_900, 100_100, 10],
    ['behind', 90, 99_900, 100_100, -9],
    ['a slow trip is halved', 105, 100_000, 110_000, 0],
  ])('%s', (_, theirs, before, after, expected) => {
    expect(skewOf(theirs, before, after)).toBeCloseTo(expected, 5);
  });
});

describe('a healthy cluster', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab({ servers: 1, agents: 1 });
  });
  afterAll(() => lab.stop());

  it('has nothing to mend, exit 0, and nothing is written', async () => {
    const before = lab.fingerprint();
    const { code, findings } = await examine(['-i', lab.inventoryFile]);
    expect(findings.filter(isWrong)).toEqual([]);
    expect(code).toBe(0);
    expect(findings.map(({ subject, check }) => `${subject} ${check}`)).toEqual([
      'server-1 connection',
      'server-1 become',
      'server-1 programs',
      'server-1 state-dir',
      'server-1 clock',
      'agent-1 connection',
      'agent-1 become',
      'agent-1 programs',
      'agent-1 state-dir',
      'agent-1 clock',
      'cluster api',
      'cluster rights',
      'cluster versions',
    ]);
    expect(lab.fingerprint()).toBe(before);
  });

  it('tells a cordon of a run that died from an operator’s', large, async () => {
    const client = createClient(lab.api.kubeconfig());
    const cordon = (name: string, by?: string) =>
      client.send(
        'PATCH',
        `/api/v1/nodes/${name}`,
        { metadata: { annotations: by ? { 'reeve.dev/cordoned-by': by } : {} }, spec: { unschedulable: true } },
        { 'content-type': 'application/merge-patch+json' },
      );
    await cordon('server-1');
    await cordon('agent-1', '20260102-030405678-1a2b3c');
    const { code, findings } = await examine(['-i', lab.inventoryFile]);
    expect(findings.filter(isWrong)).toEqual([
      expect.objectContaining({
        level: 'error',
        message: 'node agent-1 was left cordoned by the run 20260102-030405678-1a2b3c',
        fix: 'kubectl uncordon agent-1',
      }),
      expect.objectContaining({ level: 'warning', message: 'node server-1 is cordoned, not by reeve' }),
    ]);
    expect(code).toBe(2);
    client.close();
  });

  it('names the rights that are missing', large, async () => {
    lab.api.authorize(({ verb, resource, subresource }) =>
      verb === 'create' && resource === 'pods' && subresource === 'eviction' ? 'not you' : undefined,
    );
    const { code, findings } = await examine(['-i', lab.inventoryFile, 'agents']);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'rights',
        level: 'error',
        message: 'these credentials may not: create pods/eviction',
      }),
    );
    expect(code).toBe(2);
  });
});

describe('hosts with something to mend', () => {
  it('names it, with the line that mends it', async () => {
    await using hosts = disposable(await startHosts({ hosts: [{ name: 'one' }] }));
    const inventory = folder.write('hosts.yaml', stringify(inventoryOf(hosts.value, { reeve_dir: '/dev/null/reeve' })));
    const gone = folder.write('gone.yaml', {
      reeve: 1,
      all: { hosts: { gone: { address: '127.0.0.1', ssh_port: 1 } } },
    });
    const { code, findings } = await examine(['-i', inventory, '-i', gone]);
    const bad = findings.filter(isWrong);
    expect(bad).toEqual([
      expect.objectContaining({ subject: 'one', check: 'state-dir', level: 'error' }),
      expect.objectContaining({ subject: 'gone', check: 'connection', level: 'error' }),
    ]);
    expect(bad.every(({ fix }) => fix !== undefined)).toBe(true);
    expect(code).toBe(3);
    const plain = await folder.run(['doctor', 'one', '-i', inventory]);
    expect(plain.stdout).toContain('mend it: set `become: true`, or the variable `reeve_dir`');
    expect(plain.stdout).toMatch(/\n1 error[.,]/);
    expect(plain.code).toBe(2);
  });
});

function disposable<T extends { stop(): Promise<void> }>(value: T) {
  return { value, [Symbol.asyncDispose]: () => value.stop() };
}
