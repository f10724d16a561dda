/** Changes sound in place; it comes out so much later than it went in, and before it as much silence. */
export interface SoundProcessing {
  readonly latencyMs: number;
  process(pcm: Float32Array): void;
}
