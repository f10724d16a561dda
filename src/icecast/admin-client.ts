import type { Mount } from '../domain/ids.ts';
import type { Clock } from '../platform/clock.ts';
import { type Credentials, percentEncode, type ServerAddress } from './address.ts';
import {
  type AdminAnswer,
  type AdminRefusal,
  type AdminResult,
  callAdmin,
  sentenceOf,
} from './admin-call.ts';
import { type ListedClient, type ListedMount, parseClientList, parseMountList } from './lists.ts';
import { parseStats, type ServerStats } from './stats.ts';
import { printable } from './text.ts';
import { child, parseIcecastXml, textOf, type XmlElement } from './xml.ts';

/** What Icecast said to a request. `accepted` is no proof: it says "moved" when nobody was. */
export interface Said {
  readonly accepted: boolean;
  readonly sentence: string;
}

export interface CallOptions {
  readonly deadlineMs?: number;
}

/** The admin API of one server. Every answer is a value, every call ends within its deadline. */
export interface AdminClient {
  readonly server: ServerAddress;
  listMounts(options?: CallOptions): Promise<AdminResult<readonly ListedMount[]>>;
  /** Null: there is no such mount. */
  listClients(at: Mount, options?: CallOptions): Promise<AdminResult<readonly ListedClient[] | null>>;
  stats(options?: CallOptions): Promise<AdminResult<ServerStats>>;
  /** Asks for a move and believes nothing: use `moveListeners` of `move.ts`, which reads back. */
  moveClients(from: Mount, to: Mount, options?: CallOptions): Promise<AdminResult<Said>>;
  killClient(at: Mount, id: string, options?: CallOptions): Promise<AdminResult<Said>>;
  /** Sets the title that listeners of an MP3 or AAC mount are shown. */
  setTitle(at: Mount, title: string, options?: CallOptions): Promise<AdminResult<Said>>;
}

export interface AdminClientOptions {
  readonly clock: Clock;
  readonly server: ServerAddress;
  readonly credentials: Credentials;
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
}

export const ADMIN_DEADLINE_MS = 3_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export function createAdminClient(options: AdminClientOptions): AdminClient {
  const { clock, server, credentials } = options;
  const call = (path: string, callOptions: CallOptions = {}): Promise<AdminResult<AdminAnswer>> =>
    callAdmin(clock, {
      server,
      credentials,
      path,
      deadlineMs: callOptions.deadlineMs ?? options.deadlineMs ?? ADMIN_DEADLINE_MS,
      maxBytes: options.maxBytes ?? MAX_ANSWER_BYTES,
    });
  const request = async (path: string, callOptions?: CallOptions): Promise<AdminResult<Said>> => {
    const result = await call(path, callOptions);
    return result.ok ? saidIn(result.value) : result;
  };
  return {
    server,
    async listMounts(callOptions) {
      const result = await call('/admin/listmounts', callOptions);
      return result.ok ? listIn(result.value, parseMountList) : result;
    },
    async listClients(at, callOptions) {
      const result = await call(`/admin/listclients?mount=${percentEncode(at)}`, callOptions);
      return result.ok ? clientsIn(result.value) : result;
    },
    async stats(callOptions) {
      const result = await call('/admin/stats', callOptions);
      if (!result.ok) return result;
      const icestats = icestatsIn(result.value);
      return icestats.ok ? { ok: true, value: parseStats(icestats.value, result.value.date) } : icestats;
    },
    moveClients(from, to, callOptions) {
      const query = `mount=${percentEncode(from)}&destination=${percentEncode(to)}`;
      return request(`/admin/moveclients?${query}`, callOptions);
    },
    killClient(at, id, callOptions) {
      return request(`/admin/killclient?mount=${percentEncode(at)}&id=${percentEncode(id)}`, callOptions);
    },
    setTitle(at, title, callOptions) {
      const query = `mount=${percentEncode(at)}&mode=updinfo&charset=UTF-8&song=${percentEncode(title)}`;
      return request(`/admin/metadata?${query}`, callOptions);
    },
  };
}

function listIn<One>(
  { status, body }: AdminAnswer,
  parse: (xml: string) => readonly One[] | null,
): AdminResult<readonly One[]> {
  if (status !== 200) return badAnswer(`${status} (${sentenceOf(body)})`);
  const list = parse(body);
  return list === null ? badAnswer(NO_ICECAST_XML) : { ok: true, value: list };
}

function icestatsIn({ status, body }: AdminAnswer): AdminResult<XmlElement> {
  if (status !== 200) return badAnswer(`${status} (${sentenceOf(body)})`);
  const document = parseIcecastXml(body);
  const icestats = document === null ? null : child(document, 'icestats');
  return icestats === null ? badAnswer(NO_ICECAST_XML) : { ok: true, value: icestats };
}

function clientsIn(answer: AdminAnswer): AdminResult<readonly ListedClient[] | null> {
  const { status, body } = answer;
  const isMissing =
    (status === 400 || status === 404) && /source|mount|not found|not available/i.test(sentenceOf(body));
  return isMissing ? { ok: true, value: null } : listIn(answer, parseClientList);
}

function saidIn(answer: AdminAnswer): AdminResult<Said> {
  if (answer.status >= 400)
    return {
      ok: true,
      value: { accepted: false, sentence: sentenceOf(answer.body) },
    };
  const document = parseIcecastXml(answer.body);
  const response = document === null ? null : child(document, 'iceresponse');
  if (response === null) return badAnswer(NO_ICECAST_XML);
  return {
    ok: true,
    value: {
      accepted: textOf(response, 'return') === '1',
      sentence: printable(textOf(response, 'message') ?? '', 200),
    },
  };
}

const NO_ICECAST_XML = 'something that is not Icecast XML';

function badAnswer(what: string): AdminRefusal {
  return {
    ok: false,
    failure: 'bad-answer',
    detail: `the admin API answered ${what}`,
  };
}
