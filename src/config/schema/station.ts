import { z } from 'zod';
import { bitrateFault } from '../../domain/bitrates.ts';
import {
  isTimeZone,
  PLANNED_LONGEST_MS,
  PLANNED_SHORTEST_MS,
  parsePlannedDay,
  parseTimeOfDay,
} from '../../domain/planned-silence.ts';
import { PROGRAMME_FAULTS } from '../../domain/readings.ts';
import { shown } from '../problems.ts';
import { durationText } from '../units.ts';
import { bitrate, choice, duration, filePath, leaf, level, line, mountPath, name } from './leaves.ts';
import { stationProcessing } from './processing.ts';

const USUAL_WARN_DBFS = -40;

const silence = z
  .strictObject({
    threshold: level('dBFS', {
      description: 'RMS level per channel under which sound is quiet.',
      example: '-50 dBFS',
      minimum: '-90 dBFS',
      maximum: '-10 dBFS',
    }).prefault('-50 dBFS'),
    warn: level('dBFS', {
      description: 'Quieter than this for the trip delay is told, and nothing is done; by default -40 dBFS.',
      example: '-40 dBFS',
      minimum: '-90 dBFS',
      maximum: '-10 dBFS',
    }).optional(),
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
  .superRefine(({ threshold, warn, trip, restore, sound }, context) => {
    const blame = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message });
    const least = durationText(trip);
    if (restore < trip) {
      blame(
        'restore',
        `is ${durationText(restore)}, shorter than trip: write ${least} or more, so that a source is not good again sooner than it was bad`,
      );
    }
    if (warn !== undefined && warn < threshold) {
      blame(
        'warn',
        `is ${warn} dBFS, under threshold: write ${threshold} dBFS or more, as a warning comes before the fault`,
      );
    }
    if (sound >= trip) {
      blame(
        'sound',
        `is ${durationText(sound)}, not shorter than trip: write less than ${least}, or no sound could end a silence`,
      );
    }
  })
  .transform(({ threshold, warn, trip, restore, sound }) => ({
    thresholdDbfs: threshold,
    warnDbfs: warn ?? Math.max(USUAL_WARN_DBFS, threshold),
    tripMs: trip,
    restoreMs: restore,
    soundMs: sound,
  }))
  .meta({ description: 'When silence is a fault, and when sound is back.' });

const programme = z
  .strictObject({
    preset: choice(['talk', 'music', 'classical'], {
      description: 'How patient the meter is before it calls held sound a tone, or quiet sound noise.',
      example: 'music',
    }).prefault('music'),
    act: z
      .array(
        choice(PROGRAMME_FAULTS, {
          description: 'A fault in the sound for which listeners are moved.',
          example: 'tone',
        }),
      )
      .max(PROGRAMME_FAULTS.length)
      .prefault(['noise-only', 'tone', 'stuck-loop'])
      .meta({ description: 'Faults in the sound for which listeners are moved to another source.' }),
    loudness: level('LUFS', {
      description: 'What the sources should be as loud as: far from it is told as too loud or too quiet.',
      example: '-16 LUFS',
      minimum: '-40 LUFS',
      maximum: '-5 LUFS',
    }).optional(),
  })
  .transform(({ preset, act, loudness }) => ({
    preset,
    actOn: act,
    ...(loudness === undefined ? {} : { targetLufs: loudness }),
  }))
  .meta({
    description:
      'Faults in the sound other than silence; those not in `act` are told and nothing is done about them.',
  });

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

/** Usual bitrates, where none is given. */
const BITRATE_KBPS = { mp3: 128, aac: 96, opus: 96, vorbis: 128 } as const;

const output = z
  .strictObject({
    mount: mountPath({
      description: 'The public mount that the agent feeds.',
      example: '/stream',
    }),
    codec: choice(['mp3', 'aac', 'opus', 'vorbis'], {
      description: 'What the public mount is encoded in.',
      example: 'mp3',
    }),
    bitrate: bitrate({
      description:
        'Bitrate of the public mount, one that the codec has at this rate and with these channels; by default 128k for mp3 and vorbis, 96k for aac and opus.',
      example: '128k',
      minimum: '8k',
      maximum: '510k',
    }).optional(),
    sampleRate: choice(['22050', '24000', '32000', '44100', '48000'], {
      description: 'Samples a second, in hertz; opus is always 48000.',
      example: '44100',
    }).optional(),
    channels: choice(['mono', 'stereo'], {
      description: 'Whether the public mount is mono or stereo.',
      example: 'stereo',
    }).prefault('stereo'),
    quality: choice(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], {
      description:
        'Of mp3 only: how hard LAME tries, from 0 (best, slowest) to 9. By default 3; 2 costs half as much again, 7 less than half.',
      example: '3',
    }).optional(),
  })
  .superRefine(({ codec, quality }, context) => {
    if (quality === undefined || codec === 'mp3') return;
    const message = `belongs to mp3, and this output is ${codec}: remove it`;
    context.addIssue({ code: 'custom', path: ['quality'], message });
  })
  .transform(({ mount, codec, bitrate: bitrateKbps, sampleRate, channels, quality }) => ({
    mount,
    codec,
    bitrateKbps: bitrateKbps ?? BITRATE_KBPS[codec],
    sampleRateHz: codec === 'opus' ? 48_000 : Number(sampleRate ?? 44_100),
    channels: channels === 'mono' ? (1 as const) : (2 as const),
    mp3Quality: quality === undefined ? null : Number(quality),
  }))
  .superRefine((encoding, context) => {
    const message = bitrateFault(encoding);
    if (message === null) return;
    context.addIssue({ code: 'custom', path: ['bitrate'], message: `${encoding.bitrateKbps}k ${message}` });
  })
  .meta({ description: 'One public mount of relay mode.' });

const words = z
  .strictObject({
    name: line({ description: 'What players and directories call the stream.', example: 'My FM' }).optional(),
    genre: line({ description: 'Its genre.', example: 'talk' }).optional(),
    description: line({ description: 'A sentence about it.', example: 'The sound of the city' }).optional(),
    url: line({ description: "The station's page.", example: 'https://myfm.example' }).optional(),
  })
  .transform(({ name: called, genre, description, url }) => ({
    ...(called === undefined ? {} : { name: called }),
    ...(genre === undefined ? {} : { genre }),
    ...(description === undefined ? {} : { description }),
    ...(url === undefined ? {} : { url }),
  }))
  .meta({ description: 'What the public mounts say of themselves.' });

const serve = z
  .strictObject({
    mode: choice(['guard', 'relay'], {
      description:
        'guard: move listeners between the mounts of the encoders. relay: feed public mounts that never stop, some seconds behind, so that a fault is never heard.',
      example: 'guard',
    }).prefault('guard'),
    outputs: z.array(output).max(8, 'has more than 8 outputs').prefault([]).meta({
      description: 'The public mounts of relay mode.',
    }),
    delay: duration({
      description:
        'How far relay mode runs behind the live sound. It must be longer than silence.trip and stall.trip, or the fault is heard; by default silence.trip and 3s.',
      example: '8s',
      minimum: '1s',
      maximum: '2m',
    }).optional(),
    crossfade: duration({
      description:
        'How long relay mode fades from one programme to a different one. Copies of the same programme are joined in 20 ms.',
      example: '250ms',
      minimum: '20ms',
      maximum: '2s',
    }).prefault('250ms'),
    emergencyFile: filePath({
      description:
        'A sound file that relay mode plays, over and over, while no source is audible. At most its first five minutes; a noise floor of -90 dBFS without it.',
      example: '/var/lib/sustain/emergency.mp3',
    }).optional(),
    stream: words.prefault({}),
    processing: stationProcessing.optional(),
  })
  .transform(({ mode, outputs, delay, crossfade, emergencyFile, stream, processing: chain }) => ({
    mode,
    outputs,
    delayMs: delay ?? null,
    crossfadeMs: crossfade,
    emergencyFile: emergencyFile ?? null,
    stream,
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

const plannedSilence = z
  .strictObject({
    day: leaf(
      {
        description:
          'On which days: a date, or every day, every sunday, every 8 november, every second sunday of november.',
        example: '2026-11-08',
      },
      (text) => {
        const parsed = parsePlannedDay(text);
        return parsed.ok
          ? { ok: true, value: parsed.day }
          : { ok: false, message: `${shown(text)} ${parsed.message}` };
      },
    ),
    at: leaf(
      { description: "When it begins, by the clocks of the station's timeZone.", example: '11:00' },
      (text) => {
        const seconds = parseTimeOfDay(text);
        return seconds === null
          ? { ok: false, message: `${shown(text)} is no time of day: write one such as 11:00 or 11:00:30` }
          : { ok: true, value: seconds };
      },
    ),
    for: duration({
      description: 'How long it lasts.',
      example: '2m',
      minimum: durationText(PLANNED_SHORTEST_MS),
      maximum: durationText(PLANNED_LONGEST_MS),
    }),
    says: line({ description: 'What it is for.', example: 'Remembrance Sunday' }).prefault('planned silence'),
  })
  .transform(({ day, at, for: lengthMs, says }) => ({ day, atSeconds: at, lengthMs, says }))
  .meta({
    description: 'One silence that is wanted: while it lasts nothing is switched and nobody is called.',
  });

const timeZone = leaf(
  { description: 'The time zone of the station, for planned silences.', example: 'Europe/London' },
  (text) =>
    isTimeZone(text)
      ? { ok: true, value: text }
      : { ok: false, message: `${shown(text)} is no time zone: write one such as Europe/London` },
);

export const station = z
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
    programme: programme.prefault({}),
    stall: stall.prefault({}),
    switching: switching.prefault({}),
    serve: serve.prefault({}),
    timeZone: timeZone.optional(),
    plannedSilence: z.array(plannedSilence).max(100, 'has more than 100 entries').prefault([]).meta({
      description: 'Silences that are wanted.',
    }),
  })
  .meta({ description: 'One station.' });
