import type { KubeObject, Pod } from './objects.ts';

/** How a pod's containers behave; times in cluster seconds. */
export interface Behaviour {
  /** Ignores SIGTERM and SIGKILL: stays Terminating until it is deleted with grace period 0. */
  neverTerminates?: boolean;
  /** Runs, but its readiness probe never passes. */
  neverReady?: boolean;
  crashLoops?: boolean;
  /** From scheduled to Ready; 2 unless told. */
  readyAfter?: number;
  /** From SIGTERM to gone, at most the grace period, which is the default. */
  terminatesAfter?: number;
  /** Ends with exit code 0 after that time. */
  runsFor?: number;
}

/** Annotations, on a pod or in a pod template, that set the behaviour: they survive the way through a real API. */
export const BEHAVIOUR_ANNOTATIONS = {
  neverTerminates: 'lab.reeve/never-terminates',
  neverReady: 'lab.reeve/never-ready',
  crashLoops: 'lab.reeve/crash-loops',
  readyAfter: 'lab.reeve/ready-after',
  terminatesAfter: 'lab.reeve/terminates-after',
  runsFor: 'lab.reeve/runs-for',
} as const satisfies Record<keyof Behaviour, string>;

/** The annotations that stand for a behaviour. */
export function behaviourAnnotations(behaviour: Behaviour): Record<string, string> {
  const entries = Object.entries(behaviour).filter(([, value]) => value !== undefined && value !== false);
  return Object.fromEntries(entries.map(([key, value]) => [BEHAVIOUR_ANNOTATIONS[key as keyof Behaviour], `${value}`]));
}

/** Reads the behaviour back from a pod's annotations. */
export function behaviourOf(pod: Pod | KubeObject): Behaviour {
  const annotations = pod.metadata.annotations ?? {};
  const flag = (key: keyof Behaviour) => (annotations[BEHAVIOUR_ANNOTATIONS[key]] === 'true' ? { [key]: true } : {});
  const number = (key: keyof Behaviour) => {
    const text = annotations[BEHAVIOUR_ANNOTATIONS[key]];
    return text === undefined ? {} : { [key]: Number(text) };
  };
  return {
    ...flag('neverTerminates'),
    ...flag('neverReady'),
    ...flag('crashLoops'),
    ...number('readyAfter'),
    ...number('terminatesAfter'),
    ...number('runsFor'),
  };
}
