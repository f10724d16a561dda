const HIDDEN = '[hidden]';

/** A password or token that can't end up in a log by being printed: only `reveal()` gives it away. */
export class Secret {
  readonly #value: string;
  /** Where it came from, safe to show: `the file /run/secrets/icecast-admin`. */
  readonly origin: string;

  constructor(value: string, origin: string) {
    this.#value = value;
    this.origin = origin;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}

/** Where a secret is to be read from, as the file says it. */
export type SecretRef =
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'environment'; readonly variable: string };

/** The key in the config under which a secret is named, by where it comes from. */
export const SECRET_SUFFIXES = ['File', 'Env'] as const;
