/** Sound outside of JavaScript's memory; this room is the only one that loads native code. */
export { createSoundRing, letGo, type SoundRing } from '../../native-bindings/sound-ring.ts';
