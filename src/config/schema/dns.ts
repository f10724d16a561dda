import { z } from 'zod';
import {
  choice,
  count,
  dnsName,
  duration,
  durationOr,
  hostAndPort,
  line,
  name,
  secretKeys,
  secretRef,
  url,
  userName,
} from './leaves.ts';

const apiKey = secretKeys('apiKey', "the key of the DNS provider's API");
const tsigKey = secretKeys('key', 'the TSIG key in Base64, or what a command is handed');
const secretKey = secretKeys(
  'secretKey',
  "the secret of an AWS access key, for route53 outside of AWS's own",
);

/** Stands for `never` where a duration is asked for. */
export const NEVER_MS = Number.POSITIVE_INFINITY;

const health = z
  .strictObject({
    interval: duration({
      description: 'From one try to listen to a server as a new listener to the next.',
      example: '5s',
      minimum: '1s',
      maximum: '1m',
    }).prefault('5s'),
    fastInterval: duration({
      description: 'The same once the server is in doubt.',
      example: '1s',
      minimum: '200ms',
      maximum: '30s',
    }).prefault('1s'),
    fall: count({
      description: 'So many failed tries in a row make a server ill.',
      example: '3',
      minimum: '1',
      maximum: '20',
    }).prefault('3'),
    rise: count({
      description: 'So many good ones in a row make it well again.',
      example: '2',
      minimum: '1',
      maximum: '20',
    }).prefault('2'),
  })
  .transform(({ interval, fastInterval, fall, rise }) => ({
    intervalMs: interval,
    fastIntervalMs: fastInterval,
    fall,
    rise,
  }))
  .meta({ description: 'When a server is ill for listeners, and when it is well.' });

export const dns = z
  .strictObject({
    provider: choice(['powerdns', 'rfc2136', 'cloudflare', 'route53', 'command'], {
      description: 'Who answers for the zone.',
      example: 'powerdns',
    }),
    url: url({
      description: "Of powerdns: its API. Of cloudflare and route53 only where it isn't the usual one.",
      example: 'http://127.0.0.1:8081',
      protocols: ['http:', 'https:'],
      path: true,
      credentials: 'name the key in apiKeyFile',
    }).optional(),
    apiKeyFile: apiKey.file,
    apiKeyEnv: apiKey.variable,
    server: hostAndPort({
      description: 'Of rfc2136: the primary name server, which takes the updates.',
      example: '192.0.2.53:53',
    }).optional(),
    keyName: line({ description: 'Of rfc2136: the name of the TSIG key.', example: 'sustain' }).optional(),
    keyAlgorithm: choice(['hmac-sha256', 'hmac-sha384', 'hmac-sha512'], {
      description: 'Of rfc2136: the algorithm of the TSIG key.',
      example: 'hmac-sha256',
    }).prefault('hmac-sha256'),
    keyFile: tsigKey.file,
    keyEnv: tsigKey.variable,
    zoneId: line({
      description: "Of route53 and cloudflare: the provider's own id of the zone.",
      example: 'Z0123456789ABC',
    }).optional(),
    accessKeyId: userName({
      description: 'Of route53: the id of an access key; without it, what AWS finds on this machine.',
      example: 'AKIAIOSFODNN7EXAMPLE',
    }).optional(),
    secretKeyFile: secretKey.file,
    secretKeyEnv: secretKey.variable,
    command: z
      .array(line({ description: 'The program, then its arguments.', example: '/usr/local/bin/dns' }))
      .min(1, 'names no program: write one such as [/usr/local/bin/dns]')
      .meta({ description: 'Of command: what reads and writes the records; no shell is used.' })
      .optional(),
    zone: dnsName({
      description: 'The zone that holds the record.',
      example: 'myfm.example',
    }),
    record: dnsName({
      description: 'The name that listeners use.',
      example: 'stream.myfm.example',
    }),
    otherRecords: z
      .array(dnsName({ description: 'A name of the same zone.', example: 'listen.myfm.example' }))
      .max(15, 'has more than 15 names')
      .prefault([])
      .meta({ description: 'Further names that always go with the first, in the same write.' }),
    ttl: duration({
      description: 'How long resolvers may keep the answer.',
      example: '30s',
      minimum: '5s',
      maximum: '24h',
    }).prefault('30s'),
    prefer: z
      .array(name({ description: 'A server of `servers`.', example: 'london' }))
      .prefault([])
      .meta({
        description:
          'The servers that the name may point to, in order of preference; by default all, as they stand.',
      }),
    restore: duration({
      description: 'How long a server must be well before listeners are sent back to it.',
      example: '3m',
      minimum: '10s',
      maximum: '24h',
    }).prefault('3m'),
    health: health.prefault({}),
    endListenersAfter: durationOr(
      { never: NEVER_MS },
      {
        description:
          'How long after the name has left a sick server those who are still on it are ended, so that their players ask for the name anew; by default the ttl. Who comes back is ended again, each time after twice as long, seven times at most.',
        example: '30s',
        minimum: '0s',
        maximum: '24h',
      },
    ).optional(),
    authorities: z
      .array(
        hostAndPort({
          description: 'A name server of the zone.',
          example: '192.0.2.53:53',
        }),
      )
      .prefault([])
      .meta({ description: 'Name servers where every write is read back.' }),
  })
  .transform(({ apiKeyFile, apiKeyEnv, keyFile, keyEnv, secretKeyFile, secretKeyEnv, ...rest }) => ({
    ...rest,
    apiKey: secretRef(apiKeyFile, apiKeyEnv),
    key: secretRef(keyFile, keyEnv),
    secretKey: secretRef(secretKeyFile, secretKeyEnv),
  }))
  .meta({ description: 'Keeps the name of the station where listeners hear it.' });

const token = secretKeys('token', 'the token that the NATS servers ask for');
const password = secretKeys('password', "the password of the NATS servers' user");

export const cluster = z
  .strictObject({
    nats: z
      .array(
        url({
          description: 'A NATS server.',
          example: 'nats://10.0.0.1:4222',
          protocols: ['nats:', 'tls:'],
          path: false,
          credentials: 'name the password in passwordFile',
        }),
      )
      .min(1, 'has no server: write at least one such as nats://10.0.0.1:4222')
      .meta({ description: 'The NATS servers that the agents share.' }),
    user: userName({ description: 'Who the agents are to the NATS servers.', example: 'sustain' }).optional(),
    passwordFile: password.file,
    passwordEnv: password.variable,
    tokenFile: token.file,
    tokenEnv: token.variable,
    lease: duration({
      description: 'How long an agent that is gone keeps the others from writing to the DNS.',
      example: '15s',
      minimum: '3s',
      maximum: '2m',
    }).prefault('15s'),
  })
  .transform(({ passwordFile, passwordEnv, tokenFile, tokenEnv, lease, ...rest }) => ({
    ...rest,
    leaseMs: lease,
    password: secretRef(passwordFile, passwordEnv),
    token: secretRef(tokenFile, tokenEnv),
  }))
  .meta({ description: 'What the agents tell each other, and who of them writes to the DNS.' });
