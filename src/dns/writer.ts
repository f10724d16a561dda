import { Backoff } from '../platform/backoff.ts';
import { type Clock, sleep } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { isFenced, sameMark } from './epoch-mark.ts';
import { refuse } from './failure.ts';
import { patient } from './patience.ts';
import type { AuthorityView, DnsFailure, DnsProvider, DnsRead, ZoneState } from './provider.ts';
import { canonicalRecord, changesFor } from './records.ts';
import { readBack } from './verify.ts';
import type { Authority } from './wire/exchange.ts';
import type { ApplyOptions, ApplyOutcome, DnsEvent, DnsWriter, WantedRecords } from './writing.ts';

export interface DnsWriterOptions {
  readonly provider: DnsProvider;
  readonly zone: string;
  /** Where every write is read back; none: only at the provider. */
  readonly authorities: readonly Authority[];
  readonly clock: Clock;
  readonly random: Random;
  onEvent?(event: DnsEvent): void;
}

const REQUEST_MS = 5_000;
const RETRY = { firstMs: 500, maxMs: 15_000 };
const READ_BACK = { firstMs: 200, maxMs: 2_000 };
/** After this long behind, what stands at the provider is looked at again: somebody may have changed it. */
const LOOK_AGAIN_MS = 10_000;

/** One `apply` under way. */
interface Job {
  readonly wanted: WantedRecords;
  readonly options: ApplyOptions;
  readonly startedAtMs: number;
  readonly lateAtMs: number;
  readonly abort: AbortController;
  readonly retry: Backoff;
  end: 'superseded' | 'stopped' | 'late' | null;
  writes: number;
  views: readonly AuthorityView[];
  failure: DnsFailure | null;
}

class Writer implements DnsWriter {
  readonly #options: DnsWriterOptions;
  #current: { readonly job: Job; readonly done: Promise<unknown> } | null = null;
  #isStopped = false;

  constructor(options: DnsWriterOptions) {
    this.#options = { ...options, provider: patient(options.provider, options.clock) };
  }

  async look(deadlineMs: number): Promise<DnsRead> {
    return this.#within(deadlineMs, null, (signal) => this.#options.provider.read(signal));
  }

  verify(wanted: WantedRecords, deadlineMs: number): Promise<readonly AuthorityView[]> {
    return this.#within(deadlineMs, null, (signal) => this.#readBack(wanted, signal));
  }

  async apply(wanted: WantedRecords, options: ApplyOptions): Promise<ApplyOutcome> {
    if (this.#isStopped || options.signal?.aborted) return { is: 'stopped' };
    const previous = this.#current;
    const job = this.#jobFor({ ...wanted, records: wanted.records.map(canonicalRecord) }, options);
    // Two writes of ours are never under way at once.
    const done = (previous?.done ?? Promise.resolve()).then(() => this.#run(job));
    this.#current = { job, done };
    if (previous !== null) this.#finish(previous.job, 'superseded');
    const stop = () => this.#finish(job, 'stopped');
    const cancelDeadline = this.#options.clock.after(options.deadlineMs, () => this.#finish(job, 'late'));
    options.signal?.addEventListener('abort', stop);
    try {
      return await done;
    } finally {
      cancelDeadline();
      options.signal?.removeEventListener('abort', stop);
      if (this.#current?.job === job) this.#current = null;
    }
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#current !== null) this.#finish(this.#current.job, 'stopped');
  }

  #jobFor(wanted: WantedRecords, options: ApplyOptions): Job {
    const { clock, random } = this.#options;
    const startedAtMs = clock.nowMs();
    return {
      wanted,
      options,
      startedAtMs,
      lateAtMs: startedAtMs + options.deadlineMs,
      abort: new AbortController(),
      retry: new Backoff(RETRY, random),
      end: null,
      writes: 0,
      views: [],
      failure: null,
    };
  }

  #finish(job: Job, end: NonNullable<Job['end']>): void {
    job.end ??= end;
    job.abort.abort();
  }

  async #run(job: Job): Promise<ApplyOutcome> {
    for (;;) {
      if (job.end !== null) return this.#ended(job, job.end);
      const outcome = await this.#round(job);
      if (outcome === null) continue;
      // What broke off because the job was stopped or another took its place is told as that.
      if (job.end === null || job.end === 'late' || outcome.is === 'converged' || outcome.is === 'fenced')
        return outcome;
    }
  }

  #ended(job: Job, end: NonNullable<Job['end']>): ApplyOutcome {
    if (end !== 'late') return { is: end };
    const { writes, views, failure } = job;
    if (failure === null && views.length > 0) return { is: 'half-applied', writes, authorities: views };
    if (failure === null && !this.#mayWrite(job)) return { is: 'not-allowed' };
    return {
      is: 'failed',
      failure: failure ?? refuse('timeout', 'the deadline came before DNS was written').failure,
    };
  }

  /** Null: go round again. */
  async #round(job: Job): Promise<ApplyOutcome | null> {
    const { provider } = this.#options;
    const { wanted } = job;
    const read = await this.#within(REQUEST_MS, job, (signal) => provider.read(signal));
    if (!read.ok) {
      if (job.end === null) job.options.unread?.(read.failure.text);
      return this.#retry(job, read.failure);
    }
    const { state } = read;
    if (isFenced(state.mark, wanted.mark, job.options.expectedEpoch)) {
      this.#tell({ event: 'dns-fenced', standing: state.mark, ours: wanted.mark });
      return { is: 'fenced', standing: state.mark };
    }
    const isThere =
      sameMark(state.mark, wanted.mark) && changesFor(wanted.records, state.records).length === 0;
    if (!isThere) {
      // A process that stood still may get here before its own timer has told it that it is late.
      if (this.#options.clock.nowMs() >= job.lateAtMs) this.#finish(job, 'late');
      if (job.end !== null) return null;
      const refused = await this.#write(job, state);
      if (refused === 'not-allowed' || refused === 'broken-off') return { is: refused };
      if (refused !== null) return this.#retry(job, refused);
    }
    job.failure = null;
    if (this.#options.authorities.length > 0) return this.#awaitAuthorities(job);
    return isThere ? this.#converged(job) : null;
  }

  #mayWrite({ options }: Job): boolean {
    return options.writeUntilMs() > this.#options.clock.nowMs();
  }

  async #write(job: Job, expected: ZoneState): Promise<DnsFailure | 'not-allowed' | 'broken-off' | null> {
    const { provider, clock } = this.#options;
    const { wanted } = job;
    const leftMs = job.options.writeUntilMs() - clock.nowMs();
    if (leftMs <= 0) return 'not-allowed';
    const written = await this.#within(Math.min(REQUEST_MS, leftMs), job, (signal) =>
      provider.write({ ...wanted, expected }, signal),
    );
    if (!written.ok) {
      const { failure } = written;
      return failure.is === 'timeout' && !this.#mayWrite(job) ? 'broken-off' : failure;
    }
    job.writes += 1;
    this.#tell({ event: 'dns-written', mark: wanted.mark, records: wanted.records });
    return null;
  }

  async #retry(job: Job, failure: DnsFailure): Promise<null> {
    if (job.end !== null) return null;
    job.failure = failure;
    const askedMs = failure.is === 'rate-limited' ? (failure.retryAfterMs ?? 0) : 0;
    const inMs = Math.max(job.retry.nextMs(), askedMs);
    this.#tell({ event: 'dns-retry', failure, inMs });
    await sleep(this.#options.clock, inMs, job.abort.signal);
    return null;
  }

  async #awaitAuthorities(job: Job): Promise<ApplyOutcome | null> {
    const { clock, random } = this.#options;
    const pause = new Backoff(READ_BACK, random);
    const untilMs = clock.nowMs() + LOOK_AGAIN_MS;
    while (job.end === null && clock.nowMs() < untilMs) {
      const views = await this.#within(REQUEST_MS, job, (signal) => this.#readBack(job.wanted, signal));
      // A round that was broken off saw nobody, which says nothing about anybody.
      if (job.end !== null) return null;
      const behind = views.filter((view) => view.is !== 'converged');
      if (behind.length === 0) {
        job.views = views;
        return this.#converged(job);
      }
      if (described(behind) !== described(job.views.filter((view) => view.is !== 'converged')))
        this.#tell({ event: 'dns-half-applied', authorities: views });
      job.views = views;
      await sleep(clock, pause.nextMs(), job.abort.signal);
    }
    return null;
  }

  #converged(job: Job): ApplyOutcome {
    const tookMs = this.#options.clock.nowMs() - job.startedAtMs;
    this.#tell({ event: 'dns-converged', tookMs, writes: job.writes });
    return { is: 'converged', writes: job.writes, authorities: job.views };
  }

  #readBack(wanted: WantedRecords, signal: AbortSignal): Promise<readonly AuthorityView[]> {
    const { zone, authorities } = this.#options;
    return readBack({ ...wanted, zone, authorities }, signal);
  }

  /** Gives the work a signal that ends after so long, or with its job. */
  async #within<Result>(
    limitMs: number,
    job: Job | null,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const abort = new AbortController();
    const end = () => abort.abort();
    const cancel = this.#options.clock.after(limitMs, end);
    if (job?.abort.signal.aborted) end();
    job?.abort.signal.addEventListener('abort', end);
    try {
      return await work(abort.signal);
    } finally {
      cancel();
      job?.abort.signal.removeEventListener('abort', end);
    }
  }

  #tell(event: DnsEvent): void {
    this.#options.onEvent?.(event);
  }
}

function described(views: readonly AuthorityView[]): string {
  return views.map((view) => `${view.authority} ${view.is} ${view.is === 'stale' ? view.reason : ''}`).join();
}

/** The one way to change DNS: over a provider, with the fence, back-off and reading back. */
export function createDnsWriter(options: DnsWriterOptions): DnsWriter {
  return new Writer(options);
}
