import { type Condition, type ContainerStatus, type Pod, type PodSpec, type PodStatus, timestamp } from './objects.ts';

export interface Running {
  ready: boolean;
  crashing?: boolean;
  podIP?: string;
  hostIP?: string;
}

/** The status a kubelet reports for a pod whose containers were started. */
export function runningStatus(spec: PodSpec, { ready, crashing = false, podIP, hostIP }: Running): PodStatus {
  const at = timestamp();
  return {
    phase: 'Running',
    conditions: [
      condition('Initialized', true, at),
      condition('Ready', ready, at),
      condition('ContainersReady', ready, at),
      condition('PodScheduled', true, at),
    ],
    containerStatuses: spec.containers.map(({ name, image = '' }) => ({
      name,
      ready,
      started: !crashing,
      restartCount: crashing ? 5 : 0,
      image,
      imageID: `${image}@sha256:${'0'.repeat(64)}`,
      state: crashing
        ? { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 2m40s restarting failed container' } }
        : { running: { startedAt: at } },
    })),
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    ...(hostIP ? { hostIP } : {}),
    startTime: at,
    qosClass: 'Burstable',
  };
}

/** The status of a pod whose containers have ended, well or not. */
export function finishedStatus(spec: PodSpec, succeeded: boolean): PodStatus {
  const at = timestamp();
  const terminated = {
    exitCode: succeeded ? 0 : 1,
    reason: succeeded ? 'Completed' : 'Error',
    startedAt: at,
    finishedAt: at,
  };
  const statuses: ContainerStatus[] = spec.containers.map(({ name, image = '' }) => ({
    name,
    ready: false,
    started: false,
    restartCount: 0,
    image,
    imageID: image,
    state: { terminated },
  }));
  return {
    phase: succeeded ? 'Succeeded' : 'Failed',
    conditions: [
      condition('Initialized', true, at),
      { ...condition('Ready', false, at), reason: succeeded ? 'PodCompleted' : 'PodFailed' },
      condition('PodScheduled', true, at),
    ],
    containerStatuses: statuses,
    startTime: at,
  };
}

function condition(type: string, holds: boolean, at: string): Condition {
  const unready = !holds && type.endsWith('Ready');
  return {
    type,
    status: holds ? 'True' : 'False',
    ...(unready ? { reason: 'ContainersNotReady', message: 'containers with unready status' } : {}),
    lastTransitionTime: at,
  };
}

/** Whether the pod's containers have been started. */
export function isStarted(pod: Pod): boolean {
  return pod.status !== undefined && pod.status.phase !== 'Pending';
}
