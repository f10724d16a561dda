import { z } from 'zod';
import {
  choice,
  duration,
  filePath,
  hostAndPort,
  ipAddress,
  line,
  name,
  secretKeys,
  secretRef,
  url,
} from './leaves.ts';

const dnsKey = secretKeys('apiKey', "the key of the DNS provider's API");

export const dns = z
  .strictObject({
    provider: choice(['powerdns', 'rfc2136', 'cloudflare', 'route53', 'command'], {
      description: 'Who answers for the zone.',
      example: 'powerdns',
    }),
    url: url({
      description: "The provider's API.",
      example: 'http://127.0.0.1:8081',
      protocols: ['http:', 'https:'],
      path: true,
      credentials: 'name the key in apiKeyFile',
    }).optional(),
    apiKeyFile: dnsKey.file,
    apiKeyEnv: dnsKey.variable,
    zone: line({
      description: 'The zone that holds the record.',
      example: 'myfm.example',
    }),
    record: line({
      description: 'The name that listeners use.',
      example: 'stream.myfm.example',
    }),
    ttl: duration({
      description: 'How long resolvers may keep the answer.',
      example: '30s',
      minimum: '5s',
      maximum: '24h',
    }).prefault('30s'),
    prefer: z
      .array(name({ description: 'A server of `servers`.', example: 'london' }))
      .prefault([])
      .meta({ description: 'The servers in order of preference.' }),
    restore: duration({
      description: 'How long a server must be well before listeners are sent back to it.',
      example: '3m',
      minimum: '10s',
      maximum: '24h',
    }).prefault('3m'),
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
  .transform(({ apiKeyFile, apiKeyEnv, ttl, restore, url: api, ...rest }) => ({
    ...rest,
    url: api ?? null,
    apiKey: secretRef(apiKeyFile, apiKeyEnv),
    ttlMs: ttl,
    restoreMs: restore,
  }))
  .meta({
    description: 'Sends listeners to the other server. Not used in this version.',
  });

export const cluster = z
  .strictObject({
    nats: z
      .array(
        url({
          description: 'A NATS server.',
          example: 'nats://10.0.0.1:4222',
          protocols: ['nats:', 'tls:'],
          path: false,
          credentials: 'keep it out of this file',
        }),
      )
      .min(1, 'has no server: write at least one such as nats://10.0.0.1:4222')
      .meta({ description: 'The NATS servers that the agents share.' }),
  })
  .meta({
    description: 'What the agents tell each other. Not used in this version.',
  });

const alertSecret = secretKeys('secret', 'the key that signs the webhook');

export const alert = z
  .strictObject({
    webhook: url({
      description: 'Where to post the alert.',
      example: 'https://hooks.example/myfm',
      protocols: ['http:', 'https:'],
      path: true,
      credentials: 'name the key in secretFile',
    }),
    secretFile: alertSecret.file,
    secretEnv: alertSecret.variable,
  })
  .transform(({ webhook, secretFile, secretEnv }) => ({
    webhook,
    secret: secretRef(secretFile, secretEnv),
  }))
  .meta({ description: 'One receiver of alerts. Not used in this version.' });

const viewer = secretKeys('viewerToken', 'the token of people who may look');
const operator = secretKeys('operatorToken', 'the token of people who may hold and switch');

const passwordHash = secretKeys('passwordHash', "what `sustain hash-password` made of the person's password");

const user = z
  .strictObject({
    name: line({ description: 'Who signs in; the author of what they do.', example: 'ann' }),
    role: choice(['viewer', 'operator'], {
      description: 'A viewer looks; an operator also holds and switches.',
      example: 'operator',
    }),
    passwordHashFile: passwordHash.file,
    passwordHashEnv: passwordHash.variable,
  })
  .transform(({ name: who, role, passwordHashFile, passwordHashEnv }) => ({
    name: who,
    role,
    passwordHash: secretRef(passwordHashFile, passwordHashEnv),
  }))
  .meta({ description: 'Somebody who may sign in to the dashboard.' });

const tls = z
  .strictObject({
    certFile: filePath({
      description: 'The certificate and those that lead to its root, in PEM.',
      example: '/etc/sustain/web.crt',
    }),
    keyFile: filePath({ description: 'Its private key, in PEM.', example: '/etc/sustain/web.key' }),
  })
  .meta({ description: 'Serves HTTPS. Without it: plain HTTP, for this machine or behind a proxy.' });

export const web = z
  .strictObject({
    listen: hostAndPort({
      description: 'Address and port of the dashboard, the API and the metrics.',
      example: '127.0.0.1:8080',
    }).prefault('127.0.0.1:8080'),
    viewerTokenFile: viewer.file,
    viewerTokenEnv: viewer.variable,
    operatorTokenFile: operator.file,
    operatorTokenEnv: operator.variable,
    users: z.array(user).prefault([]).meta({ description: 'Who may sign in to the dashboard.' }),
    tls: tls.optional(),
    trustProxy: z
      .array(ipAddress({ description: 'Address of a reverse proxy.', example: '127.0.0.1' }))
      .prefault([])
      .meta({ description: 'Reverse proxies whose X-Forwarded-For, -Proto and -Host headers are believed.' }),
  })
  .transform(({ listen, viewerTokenFile, viewerTokenEnv, operatorTokenFile, operatorTokenEnv, ...rest }) => ({
    listen,
    viewerToken: secretRef(viewerTokenFile, viewerTokenEnv),
    operatorToken: secretRef(operatorTokenFile, operatorTokenEnv),
    users: rest.users,
    tls: rest.tls ?? null,
    trustProxy: rest.trustProxy,
  }))
  .meta({ description: 'The HTTP side. Without this section there is none.' });
