import { z } from 'zod';
import { durationText } from '../units.ts';
import {
  bitrate,
  choice,
  duration,
  filePath,
  hostAndPort,
  ipAddress,
  level,
  line,
  mountPath,
  name,
  secretKeys,
  secretRef,
  url,
} from './leaves.ts';

const adminPassword = secretKeys('password', "the password of Icecast's admin user");
const sourcePassword = secretKeys('password', 'the password of the source client');

const user = (fallback: string, description: string) =>
  line({
    description,
    example: fallback,
    pattern: /^[^:]+$/,
    rule: 'a user name has no colon in it',
  }).prefault(fallback);

const server = z
  .strictObject({
    url: url({
      description: "The server's own address, as the agents reach it. Without user, password or path.",
      example: 'http://10.0.0.1:8000',
      protocols: ['http:', 'https:'],
      path: false,
      credentials: 'name the password in admin.passwordFile',
    }),
    publicAddress: ipAddress({
      description: 'The address under which listeners reach the server; DNS answers carry it.',
      example: '203.0.113.10',
    }).optional(),
    admin: z
      .strictObject({
        user: user('admin', "Icecast's <admin-user>."),
        passwordFile: adminPassword.file,
        passwordEnv: adminPassword.variable,
      })
      .transform((admin) => ({
        user: admin.user,
        password: secretRef(admin.passwordFile, admin.passwordEnv),
      }))
      .meta({
        description: 'Who may use the admin API. Name the password by passwordFile or passwordEnv.',
      }),
    source: z
      .strictObject({
        user: user('source', 'The user that a source client logs in as.'),
        passwordFile: sourcePassword.file,
        passwordEnv: sourcePassword.variable,
      })
      .transform((source) => ({
        user: source.user,
        password: secretRef(source.passwordFile, source.passwordEnv),
      }))
      .meta({
        description: 'Who may feed the public mount in relay mode. Not used in this version.',
      })
      .optional(),
  })
  .meta({
    description: 'One Icecast. The agent beside it carries the same name.',
  });

const silence = z
  .strictObject({
    threshold: level('dBFS', {
      description: 'RMS level per channel under which sound is quiet.',
      example: '-50 dBFS',
      minimum: '-90 dBFS',
      maximum: '-10 dBFS',
    }).prefault('-50 dBFS'),
    trip: duration({
      description: 'How long quiet must last before it is a fault.',
      example: '5s',
      minimum: '1s',
      maximum: '10m',
    }).prefault('5s'),
    restore: duration({
      description: 'How long sound must last before a source is good again.',
      example: '20s',
      minimum: '1s',
      maximum: '1h',
    }).prefault('20s'),
    sound: duration({
      description: 'Sound within a quiet run must add up to more than this to end it, so that clicks do not.',
      example: '1s',
      minimum: '20ms',
      maximum: '1m',
    }).prefault('1s'),
  })
  .superRefine(({ trip, restore, sound }, context) => {
    const blame = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    const least = durationText(trip);
    if (restore < trip) {
      blame(
        'restore',
        `is ${durationText(restore)}, shorter than trip: write ${least} or more, so that a source is not good again sooner than it was bad`,
      );
    }
    if (sound >= trip) {
      blame(
        'sound',
        `is ${durationText(sound)}, not shorter than trip: write less than ${least}, or no sound could end a silence`,
      );
    }
  })
  .transform(({ threshold, trip, restore, sound }) => ({
    thresholdDbfs: threshold,
    tripMs: trip,
    restoreMs: restore,
    soundMs: sound,
  }))
  .meta({ description: 'When silence is a fault, and when sound is back.' });

const stall = z
  .strictObject({
    trip: duration({
      description: 'No byte for this long on an open connection: the mount has stalled.',
      example: '2s',
      minimum: '500ms',
      maximum: '1m',
    }).prefault('2s'),
  })
  .transform(({ trip }) => ({ tripMs: trip }))
  .meta({
    description: 'When a mount that is there but sends nothing is a fault.',
  });

const switching = z
  .strictObject({
    dwell: duration({
      description: 'Shortest time between two automatic switches, unless what is on air is dead.',
      example: '30s',
      minimum: '0s',
      maximum: '1h',
    }).prefault('30s'),
    holdDown: duration({
      description: 'Added to the restore delay after a relapse; doubles with each further one.',
      example: '30s',
      minimum: '0s',
      maximum: '1h',
    }).prefault('30s'),
    holdDownMax: duration({
      description: 'The most that is ever added to the restore delay.',
      example: '30m',
      minimum: '0s',
      maximum: '24h',
    }).prefault('30m'),
    halfLife: duration({
      description: 'In this time without a relapse the hold-down falls to half.',
      example: '15m',
      minimum: '1m',
      maximum: '24h',
    }).prefault('15m'),
  })
  .superRefine(({ holdDown, holdDownMax }, context) => {
    if (holdDownMax >= holdDown) return;
    const message = `is ${durationText(holdDownMax)}, less than holdDown: write ${durationText(holdDown)} or more`;
    context.addIssue({ code: 'custom', path: ['holdDownMax'], message });
  })
  .transform(({ dwell, holdDown, holdDownMax, halfLife }) => ({
    dwellMs: dwell,
    flap: {
      holdDownMs: holdDown,
      holdDownMaxMs: holdDownMax,
      halfLifeMs: halfLife,
    },
  }))
  .meta({
    description: 'What keeps a flapping source from switching all the time.',
  });

const output = z
  .strictObject({
    mount: mountPath({
      description: 'The public mount that the agent feeds.',
      example: '/stream',
    }),
    codec: choice(['mp3', 'aac', 'opus', 'vorbis', 'flac'], {
      description: 'What the public mount is encoded in.',
      example: 'mp3',
    }),
    bitrate: bitrate({
      description: 'Bitrate of the public mount.',
      example: '128k',
      minimum: '8k',
      maximum: '510k',
    }).optional(),
  })
  .transform(({ mount, codec, bitrate: bitrateKbps }) => ({
    mount,
    codec,
    bitrateKbps: bitrateKbps ?? null,
  }))
  .meta({ description: 'One public mount. Not used in this version.' });

const processing = z
  .strictObject({
    preset: name({
      description: 'Name of the processing preset.',
      example: 'music',
    }).optional(),
    loudness: level('LUFS', {
      description: 'Integrated loudness to aim for.',
      example: '-16 LUFS',
      minimum: '-36 LUFS',
      maximum: '-8 LUFS',
    }).optional(),
    ceiling: level('dBTP', {
      description: 'Highest true peak that leaves the limiter.',
      example: '-1 dBTP',
      minimum: '-12 dBTP',
      maximum: '0 dBTP',
    }).optional(),
  })
  .transform(({ preset, loudness, ceiling }) => ({
    preset: preset ?? null,
    loudnessLufs: loudness ?? null,
    ceilingDbtp: ceiling ?? null,
  }))
  .meta({
    description: 'The processing chain of the public mounts. Not used in this version.',
  });

const serve = z
  .strictObject({
    mode: choice(['guard', 'relay'], {
      description: 'guard: move listeners between the mounts of the encoders. relay: not in this version.',
      example: 'guard',
    }).prefault('guard'),
    outputs: z.array(output).max(8, 'has more than 8 outputs').prefault([]).meta({
      description: 'The public mounts in relay mode. Not used in this version.',
    }),
    processing: processing.optional(),
  })
  .transform(({ mode, outputs, processing: chain }) => ({
    mode,
    outputs,
    processing: chain ?? null,
  }))
  .meta({ description: 'How listeners are served.' });

const source = z
  .strictObject({
    name: name({
      description: 'What the source is called in events and on pages.',
      example: 'primary',
    }),
    mount: mountPath({
      description: 'Its mount, the same on every server.',
      example: '/primary',
    }),
  })
  .meta({ description: 'One programme feed.' });

const station = z
  .strictObject({
    sources: z
      .array(source)
      .min(1, 'has no source: write at least two, such as { name: primary, mount: /primary }')
      .max(8, 'has more than 8 sources')
      .meta({
        description:
          'The programme feeds in order of preference. At least two, so that there is something to fall back on.',
      }),
    silence: silence.prefault({}),
    stall: stall.prefault({}),
    switching: switching.prefault({}),
    serve: serve.prefault({}),
  })
  .meta({ description: 'One station.' });

const dnsKey = secretKeys('apiKey', "the key of the DNS provider's API");

const dns = z
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

const cluster = z
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

const alert = z
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

const web = z
  .strictObject({
    listen: hostAndPort({
      description: 'Address and port of the dashboard, the API and the metrics.',
      example: '127.0.0.1:8080',
    }).prefault('127.0.0.1:8080'),
    viewerTokenFile: viewer.file,
    viewerTokenEnv: viewer.variable,
    operatorTokenFile: operator.file,
    operatorTokenEnv: operator.variable,
  })
  .transform(({ listen, viewerTokenFile, viewerTokenEnv, operatorTokenFile, operatorTokenEnv }) => ({
    listen,
    viewerToken: secretRef(viewerTokenFile, viewerTokenEnv),
    operatorToken: secretRef(operatorTokenFile, operatorTokenEnv),
  }))
  .meta({ description: 'The HTTP side. Without this section there is none.' });

/** The whole of `sustain.yaml`: every key, its unit, range, default and purpose. */
export const configSchema = z
  .strictObject({
    server: name({
      description: 'The server that this agent stands beside. SUSTAIN_SERVER or --server goes before it.',
      example: 'london',
    }).optional(),
    servers: z.record(z.string(), server).meta({ description: 'Every Icecast of the stations, by name.' }),
    stations: z.record(z.string(), station).meta({ description: 'Every station, by name.' }),
    deputy: z
      .strictObject({
        after: duration({
          description:
            "How long another agent must give no sign of life before its server's work is taken over.",
          example: '12s',
          minimum: '2s',
          maximum: '10m',
        }).prefault('12s'),
      })
      .transform(({ after }) => ({ afterMs: after }))
      .prefault({})
      .meta({ description: 'Standing in for an agent that is gone.' }),
    dns: dns.optional(),
    cluster: cluster.optional(),
    alerts: z.array(alert).prefault([]).meta({ description: 'Who is told. Not used in this version.' }),
    web: web.optional(),
    state: z
      .strictObject({
        directory: filePath({
          description:
            'Folder for what must outlast a restart. One that does not begin with a slash is beside this file.',
          example: '/var/lib/sustain',
        }).prefault('/var/lib/sustain'),
      })
      .prefault({})
      .meta({ description: 'Where the agent keeps its state.' }),
    log: z
      .strictObject({
        level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
          description: 'The least important lines that are still written.',
          example: 'info',
        }).prefault('info'),
      })
      .prefault({})
      .meta({ description: 'What is written to standard output.' }),
  })
  .meta({
    title: 'sustain.yaml',
    description: 'The config of Sustain, the same on every server.',
  });

export type ParsedConfig = z.output<typeof configSchema>;
export type ParsedStation = ParsedConfig['stations'][string];
export type ParsedServer = ParsedConfig['servers'][string];
