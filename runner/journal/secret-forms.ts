/** Secrets shorter than this are not masked: masking "1234" would tear holes into everything. */
export const MIN_SECRET_LENGTH = 6;

/** Bytes that fill a line of what `base64` (76 columns) and PEM (64 columns) print. */
const WRAPPED_BYTES = [57, 48];

/**
 * The texts that a secret turns up as: itself, each of its lines, and what JSON, a shell, a URL and base64 make of
 * them. None is shorter than MIN_SECRET_LENGTH.
 */
export function secretForms(secret: string): Set<string> {
  const forms = new Set<string>();
  const add = (form: string) => {
    if (form.length >= MIN_SECRET_LENGTH) forms.add(form);
  };
  for (const part of new Set(partsOf(secret))) {
    if (part.trim().length < MIN_SECRET_LENGTH) continue;
    add(part);
    for (const quoted of [...jsonForms(part), ...shellForms(part), ...urlForms(part), ...base64Forms(part)])
      add(quoted);
  }
  for (const line of wrappedBase64(secret)) add(line);
  return forms;
}

/** The whole, each line, and each line as it is after somebody has trimmed it. */
function partsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/);
  return [secret, secret.trim(), ...lines, ...lines.map((line) => line.trim())];
}

/** With and without `\u` for what is not ASCII, and twice, for JSON inside of JSON. */
function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const ascii = plain.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [plain, ascii, plain.replaceAll('/', '\\/'), JSON.stringify(plain).slice(1, -1)];
}

/** In single quotes, in double quotes, and with a backslash before each special character as `printf %q` does. */
function shellForms(text: string): string[] {
  return [
    text.replaceAll("'", `'\\''`),
    text.replaceAll("'", `'"'"'`),
    text.replace(/["\\$`]/g, '\\$&'),
    text.replace(/[^A-Za-z0-9_@%+=:,./\n\u0080-\uffff-]/g, '\\$&'),
  ];
}

function urlForms(text: string): string[] {
  const form = encoded(text);
  // Strict encoders spare fewer characters than encodeURIComponent.
  const strict = form.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [form, strict, form.replaceAll('%20', '+'), strict.replaceAll('%20', '+')];
  return [...forms, ...forms.map((one) => one.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))];
}

/** A text with half of a surrogate pair has no encoding. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** The part of a text's base64 that does not depend on its neighbours, for each of the three alignments. */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const start = shift === 0 ? 0 : shift + 1;
    const end = Math.floor(((shift + bytes.length) * 8) / 6);
    return bothAlphabets(whole.slice(start, end));
  });
}

/** The lines of a long secret's base64, as tools wrap it. */
function wrappedBase64(secret: string): string[] {
  return [secret, `${secret}\n`].flatMap((text) => {
    const bytes = Buffer.from(text);
    return WRAPPED_BYTES.filter((width) => bytes.length > width).flatMap((width) => {
      const count = Math.ceil(bytes.length / width);
      const slices = Array.from({ length: count }, (_, index) => bytes.subarray(index * width, (index + 1) * width));
      return slices.flatMap((slice) => bothAlphabets(slice.toString('base64')));
    });
  });
}

function bothAlphabets(text: string): string[] {
  return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
}
