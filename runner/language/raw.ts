/** A string that stays as it is: what the `!raw` tag in YAML makes, for text meant for another templater. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
