export type { AlertsConfig, HookConfig } from './alerts-config.ts';
export type {
  Config,
  Credentials,
  LogLevel,
  ProcessingConfig,
  ServerConfig,
  SourceConfig,
  StationConfig,
  WebConfig,
} from './config.ts';
export type { ClusterConfig, DnsConfig, DnsProviderConfig } from './dns-config.ts';
export type { Environment } from './files.ts';
export {
  type ConfigFlags,
  type LoadedConfig,
  loadConfig,
  loadConfigText,
} from './load.ts';
export { legsOf, policyOf, serverOf } from './policy.ts';
export { type Problem, printProblems } from './problems.ts';
export { type LoadedRates, loadRates, loadRatesText } from './rates.ts';
export { mountFault } from './schema/leaves.ts';
export type { Rates } from './schema/rates.ts';
export { Secret } from './secret.ts';
export { configJsonSchema } from './validate.ts';
