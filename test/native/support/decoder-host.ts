import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { decoderHostPath } from '../../../native-bindings/decoder-host.ts';
import { HostAnswers, type HostRequest, hostRequests } from '../../../src/audio/host-messages.ts';

/** The real decoder process, spoken to without anything between. */
export class RawHost {
  readonly rejected = new Map<number, string>();
  readonly frames = new Map<number, number>();
  readonly #child: ChildProcess & { stdin: Writable; stdout: Readable };
  readonly #pcm = new Map<number, Float32Array[]>();
  readonly #ended: Promise<unknown>;
  #stderr = '';
  answers = 0;

  constructor(keepSound = true, env: NodeJS.ProcessEnv = process.env) {
    const path = decoderHostPath();
    if (path === null) throw new Error('sustain-decoder was not built');
    this.#child = spawn(path, [], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const answers = new HostAnswers();
    this.#child.stdin.on('error', () => {});
    this.#child.stderr?.on('data', (text) => {
      this.#stderr += text;
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      const isSense = answers.push(chunk, (answer) => {
        this.answers += 1;
        if (answer.is === 'rejected') this.rejected.set(answer.stream, answer.because);
        if (answer.is !== 'sound') return;
        this.frames.set(answer.stream, (this.frames.get(answer.stream) ?? 0) + answer.pcm.length / 2);
        if (!keepSound) return;
        const heard = this.#pcm.get(answer.stream) ?? [];
        heard.push(answer.pcm.slice());
        this.#pcm.set(answer.stream, heard);
      });
      if (!isSense) throw new Error('no answer of the decoder process');
    });
    this.#ended = once(this.#child, 'close');
  }

  /** Anything, as it is. */
  raw(bytes: Uint8Array): void {
    this.#child.stdin.write(bytes);
  }

  send(kind: HostRequest, stream: number, bytes?: Uint8Array): void {
    for (const part of hostRequests(kind, stream, bytes)) this.#child.stdin.write(part);
  }

  /** Waits until the process has read what was sent, so that it is not this one that holds megabytes. */
  async drained(): Promise<void> {
    if (this.#child.stdin.writableNeedDrain) await once(this.#child.stdin, 'drain');
  }

  /** Reads no answers from now on. */
  pause(): void {
    this.#child.stdout.pause();
  }

  pcm(stream: number): Float32Array {
    const parts = this.#pcm.get(stream) ?? [];
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  get limits(): string {
    return readFileSync(`/proc/${this.#child.pid}/limits`, 'latin1');
  }

  get residentKib(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  }

  /** Closes its stdin and waits for its end. */
  async end(): Promise<{ code: number | null; signal: string | null; stderr: string }> {
    this.#child.stdin.end();
    return this.ended();
  }

  async ended(): Promise<{ code: number | null; signal: string | null; stderr: string }> {
    await this.#ended;
    return { code: this.#child.exitCode, signal: this.#child.signalCode, stderr: this.#stderr };
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }
}
