import { XMLParser } from 'fast-xml-parser';
import { type Answer, type Asked, fakeServer } from './fake-server.ts';

interface RecordSet {
  readonly Name: string;
  readonly Type: string;
  readonly TTL: string;
  readonly values: readonly string[];
}

export const HOSTED_ZONE = 'Z0123456789ABC';
const NS = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"';

const parser = new XMLParser({
  parseTagValue: false,
  isArray: (name) => ['Change', 'ResourceRecord'].includes(name),
});
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const xml = (status: number, body: string): Answer => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  headers: { 'content-type': 'text/xml' },
});
export const awsError = (status: number, code: string, message: string): Answer =>
  xml(
    status,
    `<ErrorResponse ${NS}><Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
  );

interface Change {
  readonly Action: 'CREATE' | 'DELETE' | 'UPSERT';
  readonly ResourceRecordSet: {
    readonly Name: string;
    readonly Type: string;
    readonly TTL: string;
    readonly ResourceRecords: { readonly ResourceRecord: readonly { readonly Value: string }[] };
  };
}

/** Route 53's record sets as its API documents them: a change batch is all or nothing, DELETE only hits exactly what stands there. */
export async function fakeRoute53() {
  let sets: RecordSet[] = [];
  const fault: { next: (asked: Asked) => Answer | null | undefined } = { next: () => undefined };
  const path = `/2013-04-01/hostedzone/${HOSTED_ZONE}/rrset`;

  const list = (from: string): Answer => {
    const order = [...sets].sort((a, b) =>
      a.Name < b.Name ? -1 : a.Name > b.Name ? 1 : a.Type < b.Type ? -1 : 1,
    );
    const given = order.filter(({ Name }) => Name >= from).slice(0, 20);
    const shown = given.map(
      ({ Name, Type, TTL, values }) =>
        `<ResourceRecordSet><Name>${Name}</Name><Type>${Type}</Type><TTL>${TTL}</TTL><ResourceRecords>${values
          .map((value) => `<ResourceRecord><Value>${escaped(value)}</Value></ResourceRecord>`)
          .join('')}</ResourceRecords></ResourceRecordSet>`,
    );
    return xml(
      200,
      `<ListResourceRecordSetsResponse ${NS}><ResourceRecordSets>${shown.join('')}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>20</MaxItems></ListResourceRecordSetsResponse>`,
    );
  };

  const change = (body: string): Answer => {
    const parsed = parser.parse(body) as {
      ChangeResourceRecordSetsRequest: { ChangeBatch: { Changes: { Change: readonly Change[] } } };
    };
    const next = [...sets];
    for (const { Action, ResourceRecordSet } of parsed.ChangeResourceRecordSetsRequest.ChangeBatch.Changes
      .Change) {
      const { Name, Type, TTL, ResourceRecords } = ResourceRecordSet;
      const set: RecordSet = {
        Name,
        Type,
        TTL,
        values: ResourceRecords.ResourceRecord.map(({ Value }) => Value.replaceAll('&quot;', '"')),
      };
      const at = next.findIndex((one) => one.Name === Name && one.Type === Type);
      const what = `[name='${Name}', type='${Type}']`;
      if (Action === 'DELETE') {
        if (at < 0) return invalid(`Tried to delete resource record set ${what} but it was not found`);
        if (JSON.stringify(next[at]) !== JSON.stringify(set))
          return invalid(
            `Tried to delete resource record set ${what} but the values provided do not match the current values`,
          );
        next.splice(at, 1);
      } else if (Action === 'CREATE' && at >= 0) {
        return invalid(`Tried to create resource record set ${what} but it already exists`);
      } else if (at >= 0) next[at] = set;
      else next.push(set);
    }
    sets = next;
    return xml(
      200,
      `<ChangeResourceRecordSetsResponse ${NS}><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>`,
    );
  };

  const server = await fakeServer((asked) => {
    const forced = fault.next(asked);
    if (forced !== undefined) return forced;
    const { pathname, searchParams } = asked.url;
    if (!pathname.startsWith(path))
      return awsError(404, 'NoSuchHostedZone', 'No hosted zone found with ID: X');
    return asked.method === 'GET' ? list(searchParams.get('name') ?? '') : change(asked.body);
  });
  return {
    url: server.url,
    asked: server.asked,
    fault,
    change,
    get sets(): readonly RecordSet[] {
      return sets;
    },
  };
}

/** What Route 53 says of a batch that does not fit. */
const invalid = (message: string): Answer => awsError(400, 'InvalidChangeBatch', `[${message}]`);
