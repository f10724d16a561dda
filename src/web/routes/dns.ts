import type { FailoverRequest, RequestAnswer } from '../../domain/failover.ts';
import type { DescribedRoutes } from '../described.ts';
import {
  accepted,
  type DnsForceBody,
  type DnsHoldBody,
  dnsForceBody,
  dnsHoldBody,
  dnsReleaseBody,
  failure,
} from '../schemas.ts';
import { authorOf } from './operate.ts';

export interface DnsOperated {
  /** Hands an operator's wish to the DNS decision, which takes it or says why not. */
  requestDns(request: FailoverRequest): RequestAnswer;
}

/** An operator's wishes for where the name points. */
export function addDnsRoutes(routes: DescribedRoutes, operated: DnsOperated): void {
  const add = (
    what: string,
    summary: string,
    body: typeof dnsHoldBody | typeof dnsForceBody | typeof dnsReleaseBody,
    wishOf: (body: unknown, author: string) => FailoverRequest,
  ) =>
    routes.add(
      {
        method: 'POST',
        url: `/api/v1/dns/${what}`,
        summary,
        right: 'operate',
        body,
        answers: { 202: accepted, 400: failure, 404: failure, 409: failure },
      },
      (request, reply) => {
        const author = authorOf(request);
        if (author === null)
          return reply.code(400).send({ error: "body must have required property 'author'" });
        const answer = operated.requestDns(wishOf(request.body, author));
        switch (answer.is) {
          case 'taken':
            return reply.code(202).send({ accepted: true });
          case 'refused':
            return reply.code(409).send({ error: answer.detail });
          case 'no-dns':
            return reply.code(404).send({ error: 'there is no dns in the config' });
        }
      },
    );
  add('hold', 'Let nothing automatic happen to the name for a while', dnsHoldBody, (body, author) => {
    const { forMs } = body as DnsHoldBody;
    return { do: 'hold', author, forMs };
  });
  add('force', 'Point the name to a server, and hold it there', dnsForceBody, (body, author) => {
    const { server, forMs, override } = body as DnsForceBody;
    return { do: 'force', server, author, forMs, override: override ?? false };
  });
  add('release', 'End the hold on the name', dnsReleaseBody, (_body, author) => ({ do: 'release', author }));
}
