import { CONNECTION_VARIABLES } from '../execute/connection-spec.ts';

/** Variables that the engine reads by itself: they count as used although no playbook names them. */
export const ENGINE_VARIABLES: readonly string[] = [
  ...Object.values(CONNECTION_VARIABLES).flatMap((row): readonly string[] => row.names),
  'kubeconfig',
  'kube_via',
  'k3s_config_dir',
  'node_name',
  'reeve_dir',
  'lock_dir',
];
