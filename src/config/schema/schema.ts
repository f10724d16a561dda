import { z } from 'zod';
import { alert } from './alerts.ts';
import { cluster, dns } from './dns.ts';
import { choice, duration, filePath, name } from './leaves.ts';
import { processing } from './processing.ts';
import { web } from './sections.ts';
import { server } from './server.ts';
import { station } from './station.ts';

/** The whole of `sustain.yaml`: every key, its unit, range, default and purpose. */
export const configSchema = z
  .strictObject({
    server: name({
      description:
        'The server that this agent stands beside. SUSTAIN_SERVER or --server goes before it, and so does SUSTAIN_WITNESS or --witness.',
      example: 'london',
    }).optional(),
    servers: z.record(z.string(), server).meta({ description: 'Every Icecast of the stations, by name.' }),
    stations: z.record(z.string(), station).meta({ description: 'Every station, by name.' }),
    processing: processing.prefault({}),
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
    alerts: z.array(alert).max(50, 'has more than 50 entries').prefault([]).meta({
      description: 'Who is told when something goes wrong.',
    }),
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
