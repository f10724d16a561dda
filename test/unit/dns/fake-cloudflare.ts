import { type Answer, type Asked, fakeServer } from './fake-server.ts';

interface CloudRecord {
  readonly id: string;
  name: string;
  type: string;
  content: string;
  ttl: number;
}

type Batch = Partial<{
  deletes: { id: string }[];
  patches: (Partial<CloudRecord> & { id: string })[];
  posts: Omit<CloudRecord, 'id'>[];
}>;

export const TOKEN = 'a-token-of-this-test';
export const ZONE_ID = '023e105f4ecef8ad9ca31a8372d0c353';

const json = (status: number, body: object, headers = {}): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});
export const refusal = (status: number, code: number, message: string, headers = {}): Answer =>
  json(status, { success: false, errors: [{ code, message }], messages: [], result: null }, headers);
const done = (result: unknown): Answer => json(200, { success: true, errors: [], messages: [], result });

/** Cloudflare's DNS records as its API documents them: ids are never used twice, and a batch is all or nothing. */
export async function fakeCloudflare() {
  let records: CloudRecord[] = [];
  let nextId = 1;
  /** Asked before each request; what it gives is the answer. */
  const fault: { next: (asked: Asked) => Answer | null | undefined } = { next: () => undefined };
  const newId = () => (nextId++).toString(16).padStart(32, 'a');

  const batch = ({ deletes = [], patches = [], posts = [] }: Batch): Answer => {
    const known = new Set(records.map(({ id }) => id));
    const gone = [...deletes, ...patches].find(({ id }) => !known.has(id));
    if (gone !== undefined) return refusal(404, 81_044, 'Record does not exist.');
    const deleted = new Set(deletes.map(({ id }) => id));
    records = [
      ...records
        .filter(({ id }) => !deleted.has(id))
        .map((record) => ({ ...record, ...patches.find(({ id }) => id === record.id) })),
      ...posts.map((post) => ({ ...post, id: newId() })),
    ];
    return done({ deletes, patches, puts: [], posts });
  };

  const server = await fakeServer((asked) => {
    const forced = fault.next(asked);
    if (forced !== undefined) return forced;
    if (asked.authorization !== `Bearer ${TOKEN}`)
      return refusal(403, 10_000, `Authentication error: ${asked.authorization}`);
    const { pathname, searchParams } = asked.url;
    if (pathname === '/client/v4/zones')
      return done(searchParams.get('name') === 'myfm.example' ? [{ id: ZONE_ID, name: 'myfm.example' }] : []);
    const path = `/client/v4/zones/${ZONE_ID}/dns_records`;
    if (asked.method === 'GET' && pathname === path)
      return done(records.filter(({ name }) => name === searchParams.get('name.exact')));
    if (asked.method === 'POST' && pathname === `${path}/batch`)
      return batch(JSON.parse(asked.body) as Batch);
    return refusal(404, 7_003, 'Could not route to that path');
  });
  return {
    url: `${server.url}/client/v4`,
    asked: server.asked,
    fault,
    /** Carries a batch out that no answer is given to. */
    carryOut: (body: string) => batch(JSON.parse(body) as Batch),
    get records(): readonly CloudRecord[] {
      return records;
    },
  };
}
