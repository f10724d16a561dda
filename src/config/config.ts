import type { Mount, ServerName, SourceName, StationName } from '../domain/ids.ts';
import type { FlapPolicy, ProgrammePolicy, SilencePolicy } from '../domain/policy.ts';
import type { ProcessingValues } from '../domain/processing.ts';
import type { AlertsConfig } from './alerts-config.ts';
import type { ClusterConfig, DnsConfig } from './dns-config.ts';
import type { HostAndPort } from './schema/leaves.ts';
import type { ParsedConfig, ParsedStation } from './schema/schema.ts';
import type { Secret } from './secret.ts';

/** The whole config, proven: every name fits, every unit is in the name, every secret that is used has been read. */
export interface Config {
  /** The server that this agent stands beside, one of `servers`; or what a witness is called. */
  readonly self: ServerName;
  /** A witness stands beside no server: it listens and says what it hears, and may write to the DNS. */
  readonly isWitness: boolean;
  readonly servers: readonly ServerConfig[];
  readonly stations: readonly StationConfig[];
  readonly deputy: { readonly afterMs: number };
  /** Null: no HTTP side. */
  readonly web: WebConfig | null;
  readonly state: { readonly directory: string };
  readonly log: { readonly level: LogLevel };
  /** Null: the station's name is nobody's business here. */
  readonly dns: DnsConfig | null;
  /** Null: each agent goes by what it sees itself. */
  readonly cluster: ClusterConfig | null;
  readonly alerts: AlertsConfig;
}

export interface ServerConfig {
  readonly name: ServerName;
  /** Scheme, host and port: `http://10.0.0.1:8000`. */
  readonly url: string;
  /** What the DNS answers with, IPv4 and IPv6; empty where neither is written. */
  readonly publicAddresses: readonly string[];
  /** Where it is judged as listeners reach it; null: at a public address, with protocol and port of `url`. */
  readonly publicUrl: string | null;
  readonly admin: Credentials;
  /** Who feeds public mounts there; null where nobody is named. */
  readonly source: Credentials | null;
  /** PEM of authorities that are trusted there beside those that Node.js knows. */
  readonly ca: string | null;
}

export interface Credentials {
  readonly user: string;
  readonly password: Secret;
}

export interface StationConfig {
  readonly name: StationName;
  /** In order of preference. */
  readonly sources: readonly SourceConfig[];
  readonly silence: SilencePolicy;
  readonly programme: ProgrammePolicy;
  readonly stall: { readonly tripMs: number };
  readonly switching: { readonly dwellMs: number; readonly flap: FlapPolicy };
  readonly serve: ServeConfig;
  /** Null: nobody said, and there is no planned silence in the config. */
  readonly timeZone: string | null;
  readonly plannedSilence: ParsedStation['plannedSilence'];
}

type ParsedServe = ParsedStation['serve'];

/** The processing chain of a station, whole. */
export interface ProcessingConfig {
  readonly preset: string;
  readonly values: ProcessingValues;
}

/** How listeners are served; `delayMs` is null where the silence trip delay and a margin are meant. */
export interface ServeConfig extends Omit<ParsedServe, 'outputs' | 'processing'> {
  /** Null: what is heard goes out as it is. */
  readonly processing: ProcessingConfig | null;
  readonly outputs: readonly (Omit<ParsedServe['outputs'][number], 'mount'> & { readonly mount: Mount })[];
}

export interface SourceConfig {
  readonly name: SourceName;
  /** The same on every server. */
  readonly mount: Mount;
}

export interface WebConfig {
  readonly listen: HostAndPort;
  /** Null: nobody gets in with it. */
  readonly viewerToken: Secret | null;
  readonly operatorToken: Secret | null;
  readonly users: readonly WebUser[];
  /** Paths of PEM files; null: plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Addresses of reverse proxies whose headers are believed. */
  readonly trustProxy: readonly string[];
}

export interface WebUser {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
  /** As `sustain hash-password` prints it. */
  readonly passwordHash: Secret;
}

export type LogLevel = ParsedConfig['log']['level'];
