/** `fault`: it will bite, the command fails. `warning`: it may. `note`: worth knowing. */
export type Severity = 'fault' | 'warning' | 'note';

/** One thing that a person should know of a server, and what to change. */
export interface Finding {
  readonly severity: Severity;
  /** The server it is about, by its name in the config; null when it is about all. */
  readonly server: string | null;
  /** What it is about there: `admin API`, `/primary`. */
  readonly about: string;
  readonly says: string;
  readonly change: string;
}

const RANK: Readonly<Record<Severity, number>> = { fault: 0, warning: 1, note: 2 };

/** The worst first; within that as they were found. */
export function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}

/** Collects findings on one server, so that each line of a check says only what is its own. */
export class FindingList {
  readonly #found: Finding[] = [];
  readonly #server: string | null;

  constructor(server: string | null) {
    this.#server = server;
  }

  get all(): readonly Finding[] {
    return this.#found;
  }

  add(severity: Severity, about: string, says: string, change: string): void {
    this.#found.push({ severity, server: this.#server, about, says, change });
  }
}
