import type { Clock } from '../platform/clock.ts';
import { type CloudflareSettings, cloudflare } from './cloudflare.ts';
import { type CommandSettings, commandProvider } from './command.ts';
import { type PowerDnsSettings, powerDns } from './powerdns.ts';
import type { DnsProvider } from './provider.ts';
import { type Rfc2136Settings, rfc2136 } from './rfc2136.ts';
import { type Route53Settings, route53 } from './route53.ts';

export { markName } from './epoch-mark.ts';
export type {
  AddressRecord,
  AddressType,
  AuthorityView,
  DnsFailure,
  DnsFailureKind,
  DnsProvider,
  DnsRead,
  DnsWritten,
  EpochMark,
  ZoneState,
} from './provider.ts';
export { changesFor, recordIn, sameAnswer } from './records.ts';
export { lookAt, type Seen } from './verify.ts';
export { type Authority, authorityText } from './wire/exchange.ts';
export { createDnsWriter, type DnsWriterOptions } from './writer.ts';
export type { ApplyOptions, ApplyOutcome, DnsEvent, DnsWriter, WantedRecords } from './writing.ts';

/** One provider and what it needs. Names are the station's own, the first of them carries the mark. */
export type ProviderSettings =
  | ({ readonly provider: 'powerdns' } & PowerDnsSettings)
  | ({ readonly provider: 'rfc2136' } & Rfc2136Settings)
  | ({ readonly provider: 'cloudflare' } & CloudflareSettings)
  | ({ readonly provider: 'route53' } & Route53Settings)
  | ({ readonly provider: 'command' } & CommandSettings);

export function createProvider(settings: ProviderSettings, clock: Clock): DnsProvider {
  switch (settings.provider) {
    case 'powerdns':
      return powerDns(settings);
    case 'rfc2136':
      return rfc2136(settings, clock);
    case 'cloudflare':
      return cloudflare(settings);
    case 'route53':
      return route53(settings);
    case 'command':
      return commandProvider(settings, clock);
  }
}
