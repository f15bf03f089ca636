import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunEvent } from '../../../runner/events.ts';
import { readJournal } from '../../../runner/journal/read.ts';
import { deployment, pdb } from '../../lab/api/fixtures.ts';
import type { UnitEvent } from '../../lab/hosts/types.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { CliFolder, type CliResult } from '../../support/cli.ts';
import { DEATH, type DeathPoint } from '../../support/death-point.ts';
import { supportUrl } from '../../support/program.ts';
import { type Observed, observe, vainEvictions } from './observed.ts';

const PLAYBOOK = resolve(import.meta.dirname, '../../../playbooks/upgrade-k3s.yaml');
const FROM = 'v1.30.4+k3s1';
const TO = 'v1.30.8+k3s1';

export interface Topology {
  servers: number;
  agents: number;
}

/** A lab of its own, in which the upgrade is run, killed and resumed as real processes. */
export class Scene {
  readonly #cli = new CliFolder();
  readonly #lab: Lab;
  readonly #units: UnitEvent[];

  private constructor(lab: Lab, units: UnitEvent[]) {
    this.#lab = lab;
    this.#units = units;
  }

  static async start(topology: Topology): Promise<Scene> {
    const units: UnitEvent[] = [];
    const web = deployment('web', { nodes: ['agent-1'], replicas: 2, behaviour: { terminatesAfter: 1 } });
    const lab = await startLab({
      ...topology,
      version: FROM,
      startMs: 20,
      objects: [web, pdb('web', { maxUnavailable: 1 })],
      onUnit: (event) => units.push(event),
    });
    // What the lab's own installation started.
    units.length = 0;
    return new Scene(lab, units);
  }

  run(death?: DeathPoint): Promise<CliResult> {
    const { channelUrl, inventoryFile, installScriptUrl } = this.#lab;
    const inputs = { version: TO, channel_url: channelUrl, install_script: installScriptUrl };
    const extra = Object.entries(inputs).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    return this.#reeve(['run', PLAYBOOK, '-i', inventoryFile, ...extra], death);
  }

  resume(death?: DeathPoint): Promise<CliResult> {
    return this.#reeve(['resume', 'last'], death);
  }

  rollback(): Promise<CliResult> {
    return this.#reeve(['rollback', 'last', '--yes'], undefined);
  }

  /** What is on disk of the only run; nothing before it has begun. */
  journal(): RunEvent[] {
    const runs = join(this.#cli.dir, '.reeve/runs');
    const id = existsSync(runs) ? readdirSync(runs)[0] : undefined;
    const file = join(runs, id ?? '', 'events.jsonl');
    return id !== undefined && existsSync(file) ? readJournal(file).events : [];
  }

  /** Once the cluster has followed what happened on the hosts. */
  async observed(): Promise<Observed> {
    await this.#lab.settled();
    return observe(this.#lab, { units: this.#units, version: TO, events: this.journal() });
  }

  vainEvictions(): string[] {
    return vainEvictions(this.#lab);
  }

  async stop(): Promise<void> {
    await this.#lab.stop();
    this.#cli[Symbol.dispose]();
  }

  #reeve(args: string[], death: DeathPoint | undefined): Promise<CliResult> {
    const env = death ? { NODE_OPTIONS: `--import=${supportUrl('die-at')}`, [DEATH]: JSON.stringify(death) } : {};
    return this.#cli.run([...args, '--output', 'plain'], env as Record<string, string>);
  }
}
