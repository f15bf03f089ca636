/** What decides what a run does, by its parts: enough to tell which part of it has changed since. Holds hashes only. */
export interface Outline {
  /** Of all that the playbook says outside of its plays, and of whole files that are encrypted. */
  settings: string;
  inventory: string;
  plays: PlayOutline[];
  /** Files of the control machine that tasks can name: content of small ones, size and time of large ones. */
  sources: Record<string, string>;
}

interface PlayOutline {
  name: string;
  /** Of the play with all that it includes. */
  hash: string;
  /** Tasks and blocks, in the order in which they are written. */
  steps: StepOutline[];
}

export interface StepOutline {
  id: string;
  module: string;
  /** Of the step as it is written; of a block without the steps in it. */
  hash: string;
  /** It registers or sets variables: plays after it can depend on it. */
  speaks?: true;
}
