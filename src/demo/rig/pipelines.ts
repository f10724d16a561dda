import { spawnSync } from 'node:child_process';
import { constants, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { SustainError } from '../../platform/errors.ts';
import { CONTENT_TYPE, ffmpegEncodeArgs, type StreamFormat } from './encoder-format.ts';
import type { IcecastAddress } from './icecast-server.ts';
import { CHANNELS, SAMPLE_RATE_HZ } from './material.ts';
import { type RigProcess, startProcess, temporaryDirectory, unprivilegedAccount } from './process.ts';

/** One mount on one server that an encoder sends to. */
export interface EncoderTarget {
  readonly server: IcecastAddress;
  readonly mount: string;
}

/** The real programs behind one encoder connection, from PCM to the server. */
export interface Pipeline {
  readonly processes: readonly RigProcess[];
  readonly pcmIn: Writable;
  /** Settles when any of the programs is gone: an encoder with a missing part sends nothing. */
  readonly ended: Promise<void>;
  readonly lastWords: () => string;
  /** After the programs are gone. */
  readonly cleanUp: () => void;
}

const PCM = { sampleRateHz: SAMPLE_RATE_HZ, channels: CHANNELS };

function pipelineOf(processes: readonly RigProcess[], pcmIn: Writable, cleanUp = () => {}): Pipeline {
  return {
    processes,
    pcmIn,
    ended: Promise.race(processes.map((part) => part.exited)).then(() => undefined),
    lastWords: () =>
      processes
        .map((part) => part.lastWords())
        .join('\n')
        .trim(),
    cleanUp,
  };
}

function stdinOf(part: RigProcess): Writable {
  if (part.stdin === null)
    throw new SustainError('no-stdin', 'The encoder was started without a standard input.');
  return part.stdin;
}

/** ffmpeg as the source client itself. */
export async function ffmpegPipeline(target: EncoderTarget, format: StreamFormat): Promise<Pipeline> {
  const { host, port, user, password } = target.server;
  const url = `icecast://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}${target.mount}`;
  const ffmpeg = await startProcess({
    command: 'ffmpeg',
    args: [...ffmpegEncodeArgs(format, PCM), '-content_type', CONTENT_TYPE[format.codec], url],
    stdin: 'pipe',
  });
  return pipelineOf([ffmpeg], stdinOf(ffmpeg));
}

/** ezstream only sends, as at stations that feed it from an encoder by a pipe. */
export async function ezstreamPipeline(target: EncoderTarget, format: StreamFormat): Promise<Pipeline> {
  const account = unprivilegedAccount('nobody');
  const directory = temporaryDirectory('ezstream', null);
  const configPath = join(directory.path, 'ezstream.xml');
  writeFileSync(configPath, ezstreamXml(target, format), { mode: 0o600 });
  if (account) spawnSync('chown', ['-R', `${account.uid}:${account.gid}`, directory.path]);
  const ezstream = await startProcess({
    command: 'ezstream',
    args: ['-c', configPath],
    stdin: 'pipe',
    as: account,
  });
  const ffmpeg = await startProcess({
    command: 'ffmpeg',
    args: [...ffmpegEncodeArgs(format, PCM), 'pipe:1'],
    stdin: 'pipe',
    stdout: 'pipe',
  });
  ffmpeg.stdout?.pipe(stdinOf(ezstream));
  return pipelineOf([ezstream, ffmpeg], stdinOf(ffmpeg), () => directory.remove());
}

function ezstreamXml(target: EncoderTarget, format: StreamFormat): string {
  const name = { mp3: 'MP3', aac: 'AAC', vorbis: 'Ogg' }[format.codec];
  const { host, port, user, password } = target.server;
  return `<?xml version="1.0" encoding="UTF-8"?>
<ezstream>
  <servers><server>
    <hostname>${host}</hostname><port>${port}</port>
    <user>${user}</user><password>${password}</password><tls>None</tls>
    <reconnect_attempts>0</reconnect_attempts>
  </server></servers>
  <streams><stream>
    <mountpoint>${target.mount}</mountpoint><format>${name}</format>
    <stream_bitrate>${format.bitrateKbps}</stream_bitrate>
    <stream_samplerate>${format.sampleRateHz}</stream_samplerate>
    <stream_channels>${format.channels}</stream_channels>
  </stream></streams>
  <intakes><intake><type>stdin</type></intake></intakes>
</ezstream>
`;
}

/** One Liquidsoap that sends to all its servers, fed through a named pipe. */
export async function liquidsoapPipeline(
  targets: readonly EncoderTarget[],
  format: StreamFormat,
): Promise<Pipeline> {
  const account = unprivilegedAccount('nobody');
  const directory = temporaryDirectory('liquidsoap', null);
  const pipePath = join(directory.path, 'pcm');
  const scriptPath = join(directory.path, 'encoder.liq');
  if (spawnSync('mkfifo', [pipePath]).status !== 0) {
    throw new SustainError('no-fifo', `Cannot make the named pipe ${pipePath}.`);
  }
  writeFileSync(scriptPath, liquidsoapScript(targets, format, pipePath), {
    mode: 0o600,
  });
  if (account) spawnSync('chown', ['-R', `${account.uid}:${account.gid}`, directory.path]);
  // Opened for both ways, so that neither end waits for the other and a restart of Liquidsoap finds it open.
  const pcmIn = new Socket({
    fd: openSync(pipePath, constants.O_RDWR | constants.O_NONBLOCK),
    readable: false,
    writable: true,
  });
  pcmIn.on('error', () => undefined);
  const liquidsoap = await startProcess({
    command: 'liquidsoap',
    args: [scriptPath],
    as: account,
  });
  return pipelineOf([liquidsoap], pcmIn, () => {
    pcmIn.destroy();
    directory.remove();
  });
}

function liquidsoapScript(targets: readonly EncoderTarget[], format: StreamFormat, pipePath: string): string {
  const stereo = `samplerate=${format.sampleRateHz}, ${format.channels === 2 ? 'stereo=true' : 'stereo=false'}`;
  const encoder = {
    mp3: `%mp3(bitrate=${format.bitrateKbps}, ${stereo})`,
    aac: `%ffmpeg(format="adts", %audio(codec="aac", b="${format.bitrateKbps}k", channels=${format.channels}, samplerate=${format.sampleRateHz}))`,
    vorbis: `%vorbis.abr(bitrate=${format.bitrateKbps}, samplerate=${format.sampleRateHz}, channels=${format.channels})`,
  }[format.codec];
  const outputs = targets.map(({ server, mount }) => {
    const where = `host=${JSON.stringify(server.host)}, port=${server.port}, user=${JSON.stringify(server.user)}`;
    const what = `password=${JSON.stringify(server.password)}, mount=${JSON.stringify(mount)}`;
    return `output.icecast(${encoder}, ${where}, ${what}, fallible=true, programme)`;
  });
  return `settings.log.stdout.set(false)
settings.log.file.set(false)
settings.server.telnet.set(false)
programme = input.external.rawaudio(channels=${CHANNELS}, samplerate=${SAMPLE_RATE_HZ}, buffer=0.5, max=3.0, "cat ${pipePath}")
${outputs.join('\n')}
`;
}
