import type { Change, ResourceRecordSet, Route53Client } from '@aws-sdk/client-route-53';
import { formatMark, MARK_TTL_SECONDS, markName, readMark } from './epoch-mark.ts';
import { quote, rateLimited, refuse, timedOut, unreachable } from './failure.ts';
import type { DnsProvider, DnsRead, DnsRefusal, DnsWrite, DnsWritten, Key } from './provider.ts';
import { canonicalName, canonicalRecord, isAddressType, RecordCollector } from './records.ts';
import { unquoteTxt } from './shape.ts';

export interface Route53Settings {
  /** Null: Amazon's own. */
  readonly url: string | null;
  readonly zoneId: string;
  readonly names: readonly string[];
  /** Null: as Amazon's SDK finds them (environment, shared files, the machine's role). */
  readonly credentials: { readonly accessKeyId: string; readonly secretKey: Key } | null;
}

type Sdk = typeof import('@aws-sdk/client-route-53');
interface Standing {
  markTtlSeconds: number;
}

interface Loaded {
  readonly sdk: Sdk;
  readonly client: Route53Client;
}

const WHO = 'Route 53';
/** A text that never stands at a mark's name. */
const NOBODY = 'nobody wrote this';

/**
 * Amazon Route 53 through its official SDK. A change batch is all or nothing, and DELETE only succeeds on exactly what
 * stands there: deleting the mark that we read turns a late writer away.
 */
export function route53(settings: Route53Settings): DnsProvider {
  const names = settings.names.map(canonicalName);
  const keys = settings.credentials === null ? [] : [settings.credentials.secretKey];
  // A DELETE has to name the TTL of what it deletes, which may not be ours.
  const standing: Standing = { markTtlSeconds: MARK_TTL_SECONDS };
  let loaded: Promise<Loaded> | null = null;
  const withSdk = async <Result>(
    signal: AbortSignal,
    run: (loaded: Loaded) => Promise<Result>,
  ): Promise<Result | DnsRefusal> => {
    try {
      loaded ??= load(settings);
      return await orAborted(loaded.then(run), signal);
    } catch (thrown) {
      if (signal.aborted) return timedOut(WHO);
      return refusalOf(thrown, keys);
    }
  };
  return {
    name: 'route53',
    fencing: 'atomic',
    read: (signal) => withSdk(signal, (found) => read(found, settings.zoneId, names, standing, signal)),
    write: (write, signal) =>
      withSdk(signal, async ({ sdk, client }): Promise<DnsWritten> => {
        const command = new sdk.ChangeResourceRecordSetsCommand({
          HostedZoneId: settings.zoneId,
          ChangeBatch: {
            Comment: `Sustain, epoch ${write.mark.epoch}`,
            Changes: changesOf(write, names, standing.markTtlSeconds),
          },
        });
        await client.send(command, { abortSignal: signal });
        return { ok: true };
      }),
    async mayWrite(signal) {
      const tried = await withSdk(signal, async ({ sdk, client }): Promise<DnsWritten> => {
        // To delete what is not there changes nothing, and who may not write is told that first.
        const gone = markSet(markName(names[0] ?? ''), NOBODY, MARK_TTL_SECONDS);
        const command = new sdk.ChangeResourceRecordSetsCommand({
          HostedZoneId: settings.zoneId,
          ChangeBatch: { Changes: [{ Action: 'DELETE', ResourceRecordSet: gone }] },
        });
        await client.send(command, { abortSignal: signal });
        return { ok: true };
      });
      return !tried.ok && tried.failure.is === 'conflict' ? { ok: true } : tried;
    },
  };
}

/** Looking up credentials doesn't listen to the signal, so this does. */
function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The SDK takes a moment and some memory to load, and only who uses it needs to have it installed. */
async function load({ url, credentials }: Route53Settings): Promise<Loaded> {
  const sdk = await import('@aws-sdk/client-route-53');
  const client = new sdk.Route53Client({
    region: 'us-east-1',
    maxAttempts: 1,
    ...(url === null ? {} : { endpoint: url }),
    ...(credentials === null
      ? {}
      : {
          credentials: {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretKey.reveal(),
          },
        }),
  });
  return { sdk, client };
}

async function read(
  { sdk, client }: Loaded,
  zoneId: string,
  names: readonly string[],
  standing: Standing,
  signal: AbortSignal,
): Promise<DnsRead> {
  const [first = ''] = names;
  const lists = await Promise.all(
    [markName(first), ...names].map((name) => {
      // Sets are listed in order of their name, so those of this name come first; it has at most a few types.
      const query = { HostedZoneId: zoneId, StartRecordName: `${name}.`, MaxItems: 20 };
      return client.send(new sdk.ListResourceRecordSetsCommand(query), { abortSignal: signal });
    }),
  );
  const collector = new RecordCollector(names);
  const texts = new Set<string>();
  for (const set of lists.flatMap((list) => list.ResourceRecordSets ?? [])) {
    const refusal = takeSet(set, first, collector, texts);
    if (set.Type === 'TXT' && canonicalName(set.Name ?? '') === markName(first))
      standing.markTtlSeconds = set.TTL ?? MARK_TTL_SECONDS;
    if (refusal !== null) return refusal;
  }
  const mark = readMark(first, [...texts]);
  if (!mark.ok) return refuse('bad-answer', mark.text);
  return { ok: true, state: { records: collector.records(), mark: mark.mark } };
}

function takeSet(
  set: ResourceRecordSet,
  first: string,
  collector: RecordCollector,
  texts: Set<string>,
): DnsRefusal | null {
  const name = canonicalName(set.Name ?? '');
  for (const { Value: value = '' } of set.ResourceRecords ?? []) {
    if (isAddressType(set.Type)) {
      if (!collector.add(name, set.Type, value, set.TTL ?? Number.NaN))
        return refuse('bad-answer', `${WHO} answered with a record that holds no address`);
    } else if (set.Type === 'TXT' && name === markName(first)) texts.add(unquoteTxt(value));
  }
  return null;
}

function markSet(name: string, value: string, ttlSeconds: number): ResourceRecordSet {
  return { Name: `${name}.`, Type: 'TXT', TTL: ttlSeconds, ResourceRecords: [{ Value: `"${value}"` }] };
}

function changesOf(write: DnsWrite, names: readonly string[], standingTtlSeconds: number): Change[] {
  const text = (value: string, ttlSeconds: number) => markSet(markName(names[0] ?? ''), value, ttlSeconds);
  const changes: Change[] = [];
  const { expected } = write;
  if (expected.mark !== null) {
    changes.push({
      Action: 'DELETE',
      ResourceRecordSet: text(formatMark(expected.mark), standingTtlSeconds),
    });
  }
  changes.push({
    Action: 'CREATE',
    ResourceRecordSet: text(formatMark(write.mark), MARK_TTL_SECONDS),
  });
  for (const wanted of write.records.map(canonicalRecord)) {
    const old = expected.records.find(({ name, type }) => name === wanted.name && type === wanted.type);
    if (wanted.addresses.length > 0) changes.push({ Action: 'UPSERT', ResourceRecordSet: setOf(wanted) });
    else if (old !== undefined) changes.push({ Action: 'DELETE', ResourceRecordSet: setOf(old) });
  }
  return changes;
}

function setOf({ name, type, ttlSeconds, addresses }: DnsWrite['records'][number]): ResourceRecordSet {
  return {
    Name: `${name}.`,
    Type: type,
    TTL: ttlSeconds,
    ResourceRecords: addresses.map((Value) => ({ Value })),
  };
}

const WRONG_KEY =
  /^(AccessDenied|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignature|MissingAuthenticationToken|UnrecognizedClient|ExpiredToken|CredentialsProviderError|IncompleteSignature|OptInRequired)/;
const BUSY = /^(Throttling|PriorRequestNotComplete|RequestLimitExceeded|TooManyRequests|SlowDown)/;

function refusalOf(thrown: unknown, keys: readonly Key[]): DnsRefusal {
  const name = thrown instanceof Error ? thrown.name : '';
  const said = `${WHO} answered ${name} (${thrown instanceof Error ? quote(thrown.message, keys) : ''})`;
  const status = statusOf(thrown);
  if (codeIs(thrown, 'ERR_MODULE_NOT_FOUND')) {
    return refuse('refused', `${WHO} needs a package that is not here: run npm i @aws-sdk/client-route-53`);
  }
  if (WRONG_KEY.test(name)) return refuse('wrong-key', `${said}: check the credentials and their policy`);
  if (BUSY.test(name) || status === 429) return rateLimited(`${said}: too many calls`, null);
  if (name === 'InvalidChangeBatch') {
    // It names each change that does not fit what stands there.
    const isLate =
      thrown instanceof Error && /not found|already exists|do(es)? not match/i.test(thrown.message);
    if (isLate) return refuse('conflict', `${WHO} holds another epoch by now: read again`);
    return refuse('refused', said);
  }
  if (name === 'NoSuchHostedZone') return refuse('not-found', `${said}: check dns.zoneId`);
  if (status === null) return unreachable(WHO, thrown);
  if (status === 401 || status === 403)
    return refuse('wrong-key', `${said}: check the credentials and their policy`);
  if (status >= 500) return refuse('unreachable', `${said}: it is in trouble itself`);
  if (status >= 400) return refuse('refused', said);
  return refuse('bad-answer', `${WHO} answered ${status} with something that is no answer`);
}

function statusOf(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !('$metadata' in thrown)) return null;
  const metadata = thrown.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

function codeIs(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
