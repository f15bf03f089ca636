import { randomUUID } from 'node:crypto';
import type { KubeObject } from './objects.ts';

export interface ClaimOptions {
  namespace?: string;
  /** The node that a local-path volume ties its pods to. */
  node?: string;
  size?: string;
  storageClass?: string;
}

/** A bound PersistentVolumeClaim with its PersistentVolume, on one node when that is given (k3s's local-path). */
export function pvc(name: string, options: ClaimOptions = {}): KubeObject[] {
  const { namespace = 'default', size = '1Gi', storageClass = options.node ? 'local-path' : 'longhorn' } = options;
  const uid = randomUUID();
  const volumeName = `pvc-${uid}`;
  const shape = { accessModes: ['ReadWriteOnce'], storageClassName: storageClass };
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: [options.node ?? ''] };
  const local = {
    hostPath: { path: `/var/lib/rancher/k3s/storage/${volumeName}_${namespace}_${name}`, type: 'DirectoryOrCreate' },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
  };
  const source = options.node ? local : { csi: { driver: 'driver.longhorn.io', volumeHandle: volumeName } };
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName, uid: randomUUID() },
      spec: {
        ...shape,
        capacity: { storage: size },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        persistentVolumeReclaimPolicy: 'Delete',
        ...source,
      },
      status: { phase: 'Bound' },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, uid },
      spec: { ...shape, resources: { requests: { storage: size } }, volumeName },
      status: { phase: 'Bound', accessModes: shape.accessModes, capacity: { storage: size } },
    },
  ];
}
