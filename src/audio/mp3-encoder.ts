/** MP3 without a process of its own, where the system has libmp3lame; this room is the only one that loads native code. */
export { type Mp3Encoder, mp3EncoderProblem, openMp3Encoder } from '../../native-bindings/mp3-encoder.ts';
