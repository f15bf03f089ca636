import { defineModule } from '../../runner/module.ts';
import { snapshotOf } from '../shared/kube-snapshot.ts';

export const clusterReport = defineModule({
  name: 'cluster-report',
  description: 'Takes down the state of the cluster, for the action log: nodes, pods, resources, volume claims.',
  args: { type: 'object', additionalProperties: false, properties: {} },
  examples: [{ title: 'At the beginning and at the end of a run', yaml: 'cluster-report: {}' }],
  kind: 'check',
  on: 'cluster',
  returns: {
    type: 'object',
    properties: {
      server_version: { type: 'string', description: 'Version of the API server.' },
      nodes: {
        type: 'array',
        description:
          'Nodes: `name`, `ready`, `cordoned`, `version`, `server`, `address`, `cpu`, `memory` (bytes), `cpu_requested`, ' +
          '`memory_requested`, and where the cluster measures it `cpu_used`, `memory_used`.',
      },
      pods: { type: 'array', description: 'Pods: `pod`, `workload`, `node`, `state`, `restarts`.' },
      claims: {
        type: 'array',
        description: 'Volume claims: `claim`, `volume`, `state`; absent where they may not be read.',
      },
    },
  },
  notes:
    'The first and the last one of a run are what its action log calls the state before and after; from the two it tells ' +
    'which pods moved and which restarted, and whether a volume claim was lost.',
  async plan(_args, target) {
    const facts = await snapshotOf(await target.cluster());
    const { nodes, pods } = facts;
    const ready = nodes.filter((node) => node.ready).length;
    return {
      changes: [],
      facts: { ...facts },
      message: `${ready} of ${nodes.length} nodes Ready, ${pods.length} pods, API ${facts.server_version}`,
    };
  },
});
