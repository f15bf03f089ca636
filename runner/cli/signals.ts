import type { Interrupt } from '../execute/interrupt.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C, SIGTERM and a terminal that goes away end a run the gentle way; a second one at once. Returns the undoing. */
export function watchSignals(interrupt: Interrupt): () => void {
  const onSignal = () => interrupt.press();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
