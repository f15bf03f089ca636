import type { Interrupt } from '../execute/interrupt.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ctrl-C, SIGTERM and a terminal that goes away end a run the gentle way; a second one at once. `say` is told what
 * happens. Returns the undoing.
 */
export function watchSignals(interrupt: Interrupt, say: (message: string) => void): () => void {
  interrupt.onPress((count) => {
    if (count === 1) say('finishing the running tasks; press Ctrl-C again to stop at once');
    else if (count === 2) say('stopping at once');
  });
  const onSignal = () => interrupt.press();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
