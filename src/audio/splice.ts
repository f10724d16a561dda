/** What the relay needs of the native code; this room is the only one that loads it. */
export {
  type Correlation,
  correlate,
  correlateHeld,
  type HeldSound,
  INTERPOLATOR_REACH_FRAMES,
  interpolate,
} from '../../native-bindings/splice.ts';
