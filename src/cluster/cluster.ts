/** How we stand to NATS. Facts that came before a loss are kept; their age tells what they are worth. */
export type ClusterLink =
  | { readonly is: 'connecting'; readonly sinceMs: number; readonly reason: string | null }
  | { readonly is: 'connected'; readonly sinceMs: number }
  /** A NATS server answers, and can't reach the majority without which nothing is stored. */
  | { readonly is: 'no-majority'; readonly sinceMs: number; readonly reason: string };

/** The last word of another agent. */
export interface PeerObservation<Observation> {
  readonly from: string;
  readonly observation: Observation;
  /**
   * Our monotonic ms when we heard it; their clock counts for nothing. Of a word that stood in the store before we came:
   * when it was put there.
   */
  readonly seenAtMs: number;
}

/** Who has the right to write DNS, as far as we know. */
export type LeaseView =
  /** Nobody, or nobody that renewed within the lease's length on our clock. */
  | { readonly is: 'free'; readonly lastEpoch: number }
  | { readonly is: 'theirs'; readonly holder: string; readonly epoch: number; readonly freeAtMs: number }
  /** `heldUntilMs` is our monotonic time: write nothing at or after it. It lies before anybody else may take over. */
  | { readonly is: 'ours'; readonly epoch: number; readonly heldUntilMs: number }
  /** Not heard from NATS yet. */
  | { readonly is: 'unknown' };

/** Observations and one lease, shared between agents. Nothing here decides, and nothing here throws. */
export interface Cluster<Observation> {
  link(): ClusterLink;
  /**
   * Our own observation, for the others, once; call it every second, also when nothing changed, as its age is what tells
   * the others that we live. The newest replaces what was not sent yet.
   */
  publish(observation: Observation): void;
  /** The others' last observations, oldest knowledge included: judge by `seenAtMs`. */
  peers(): readonly PeerObservation<Observation>[];
  lease(): LeaseView;
  /** From now on take the lease when it is free, and renew it. Asked again, it changes nothing. */
  seek(): void;
  /** From now on let it be; a lease that we hold is given back at once, so that nobody has to wait. */
  yield(): void;
  /**
   * The mark that stands in DNS: the next acquisition goes above it. A lease of ours that it fences off (a higher epoch,
   * or the same one by another writer: NATS has forgotten) is taken anew under a higher epoch.
   */
  noteMark(mark: { readonly epoch: number; readonly writer: string }): void;
  /** Gives the lease back, if it can, and disconnects. Resolves within two seconds. */
  close(): Promise<void>;
}

export interface ClusterOptions<Observation> {
  /** `nats://10.0.0.1:4222`, `tls://…`. */
  readonly urls: readonly string[];
  readonly login: ClusterLogin;
  /** What the agents have in common: the DNS name. Agents of one name share observations and lease. */
  readonly group: string;
  /** This agent's own name, unique in the group: its server, or `witness`. */
  readonly self: string;
  /** How many NATS servers keep a copy; left out: 3 where three or more are named, else 1. */
  readonly replicas?: number;
  readonly lease?: LeaseTimes;
  /** Makes an observation out of what came over the wire, or null when it is none. Never throws. */
  parse(wire: unknown): Observation | null;
  /** Something that `link`, `peers` or `lease` give has changed. Time passing is not told. */
  onChange?(): void;
}

export type ClusterLogin =
  | { readonly by: 'nothing' }
  | { readonly by: 'token'; readonly token: { reveal(): string } }
  | { readonly by: 'password'; readonly user: string; readonly password: { reveal(): string } };

export interface LeaseTimes {
  /** Others may take over when they saw no renewal for this long on their own clock. */
  readonly lengthMs: number;
  readonly renewEveryMs: number;
  /** How far two clocks may run apart within one length; our own use of the lease ends twice this earlier. */
  readonly skewMs: number;
}
