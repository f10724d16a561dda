import type { LegId } from '../../src/domain/ids.ts';
import type { choose } from '../../src/relay/choice.ts';
import type { RelayChoice, Situation } from '../../src/relay/situation.ts';
import {
  audible,
  CURSOR_MS,
  copy,
  DIFFERENT,
  faulty,
  frameOf,
  good,
  legOf,
  NOW_MS,
  silentSince,
  situation,
  takeOf,
} from '../unit/relay/situations.ts';
import type { Mutant } from './mutation.ts';

/** A guard of the relay's choice, and the situation in which it is missed. */
export interface RelayGuard extends Mutant {
  readonly in: () => Situation;
  readonly isRight: (choice: RelayChoice) => boolean;
}

export interface RelayCore {
  readonly choose: typeof choose;
}

const stays = (choice: RelayChoice): boolean => choice.do === 'stay';
const goesTo = (leg: string) => (choice: RelayChoice) =>
  choice.do === 'switch' && choice.to?.take.leg === leg;

/** Failed a while ago and is back since `sinceMs`. */
const backSince = (sinceMs: number, verifiedAtMs?: number) =>
  legOf('primary', {
    takes: [takeOf('primary', { fromMs: NOW_MS - 12_000 })],
    conditions: [
      [NOW_MS - 60_000, faulty(NOW_MS - 65_000)],
      [NOW_MS, audible(sinceMs, verifiedAtMs)],
    ],
  });

const autodj = good('autodj');

export const relayGuards: readonly RelayGuard[] = [
  {
    guard: 'a stall that is over before its place is played is no reason to leave',
    file: 'relay/leaving.ts',
    whole: "while (fault?.fault === 'stalled')",
    broken: "while (fault?.fault === 'absent')",
    in: () => {
      const primary = legOf('primary', {
        conditions: [
          [NOW_MS - 5_000, audible(0, NOW_MS - 5_100)],
          [NOW_MS - 3_000, faulty(NOW_MS - 5_000, 'stalled')],
          [NOW_MS, audible(NOW_MS - 2_500)],
        ],
      });
      return situation([primary, autodj], primary);
    },
    isRight: stays,
  },
  {
    guard: 'a leg is left before its fault, with the whole fade',
    file: 'relay/choice.ts',
    whole: 'leaving.frame - fadeFrames - GUARD_FRAMES);\n  const room',
    broken: 'leaving.frame);\n  const room',
    in: () => {
      const primary = silentSince('primary', CURSOR_MS + 2_000);
      return situation([primary, autodj], primary);
    },
    isRight: (choice) =>
      choice.do === 'switch' && choice.atFrame + choice.fadeFrames <= frameOf(CURSOR_MS + 2_000),
  },
  {
    guard: 'never onto a leg that fails itself right after',
    file: 'relay/joining.ts',
    whole: 'fault.fromMs < atMs + GOOD_FOR_MS',
    broken: 'fault.fromMs < 0',
    in: () => {
      const primary = silentSince('primary', CURSOR_MS + 2_000);
      const fails = { ...silentSince('secondary', CURSOR_MS + 2_800), condition: audible(0) };
      return situation([primary, fails, autodj], primary);
    },
    isRight: goesTo('autodj'),
  },
  {
    guard: 'not onto a leg that has only just come back, where there is another',
    file: 'relay/choice.ts',
    whole: 'leg === current || !isOnProbation(leg, situation.nowMs)',
    broken: 'leg !== null',
    in: () => {
      const primary = silentSince('primary', CURSOR_MS + 2_000);
      const shaky = legOf('secondary', {
        conditions: [
          [NOW_MS - 60_000, faulty(NOW_MS - 70_000)],
          [NOW_MS, audible(NOW_MS - 9_000)],
        ],
      });
      return situation([primary, shaky, autodj], primary);
    },
    isRight: goesTo('autodj'),
  },
  {
    guard: 'a leg is gone back to only after its restore delay',
    file: 'relay/returning.ts',
    whole: 'if (goodMs < leg.requiredHealthMs) {',
    broken: 'if (goodMs < 0) {',
    in: () => situation([backSince(NOW_MS - 9_000), autodj], autodj),
    isRight: stays,
  },
  {
    guard: 'no return within the dwell',
    file: 'relay/returning.ts',
    whole: 'nowMs - lastSwitchAtMs < situation.policy.dwellMs',
    broken: 'nowMs - lastSwitchAtMs < 0',
    in: () => situation([backSince(NOW_MS - 12_000), autodj], autodj, { lastSwitchAtMs: NOW_MS - 4_000 }),
    isRight: stays,
  },
  {
    guard: 'no return to a leg that was not verified lately',
    file: 'relay/returning.ts',
    whole: 'nowMs - condition.verifiedAtMs > VERIFIED_WITHIN_MS',
    broken: 'nowMs - condition.verifiedAtMs > 1e9',
    in: () => situation([backSince(NOW_MS - 12_000, NOW_MS - 5_500), autodj], autodj),
    isRight: stays,
  },
  {
    guard: 'a return keeps the first words, also where they begin with their take',
    file: 'relay/returning.ts',
    whole: 'words <= usual ? joinedAt(words) : null',
    broken: 'words <= usual ? joinedAt(usual) : null',
    in: () => situation([backSince(NOW_MS - 12_000), autodj], autodj),
    isRight: (choice) => choice.do === 'switch' && (choice.to?.frame ?? 0) < frameOf(NOW_MS - 11_900),
  },
  {
    guard: 'a return waits until the first words are as far back as listeners are',
    file: 'relay/returning.ts',
    whole: 'words <= usual ? joinedAt(words) : null',
    broken: 'joinedAt(Math.min(words, usual))',
    in: () => {
      const primary = legOf('primary', {
        conditions: [
          [NOW_MS - 60_000, faulty(NOW_MS - 65_000)],
          [NOW_MS, audible(NOW_MS - 12_000)],
        ],
      });
      return situation([primary, autodj], autodj, { latencyMs: 24_000 });
    },
    isRight: stays,
  },
  {
    guard: 'a hold lets no automatic switch happen',
    file: 'relay/choice.ts',
    whole: 'if (situation.hold !== null) return obey(',
    broken: 'if (situation.hold?.isSilence) return obey(',
    in: () => {
      const primary = silentSince('primary', CURSOR_MS + 1_000);
      return situation([primary, autodj], primary, { hold: { author: 'eve', leg: null } });
    },
    isRight: stays,
  },
  {
    guard: 'an override is obeyed',
    file: 'relay/joining.ts',
    whole: ' && !isAskedFor',
    broken: '',
    in: () => {
      const primary = good('primary');
      const bad = silentSince('secondary', CURSOR_MS - 9_000);
      return situation([primary, bad], primary, { hold: { author: 'eve', leg: 'secondary' as LegId } });
    },
    isRight: goesTo('secondary'),
  },
  {
    guard: 'a splice is placed where the copies will lie to each other by then',
    file: 'relay/alignment.ts',
    whole: 'drift * (frame - atFrame)',
    broken: '0 * drift * (frame - atFrame)',
    in: () => {
      const primary = silentSince('primary', CURSOR_MS + 2_000);
      const relationOf = () => ({ ...copy(0), atFrame: frameOf(CURSOR_MS - 8_000), drift: 100e-6 });
      return situation([primary, good('secondary')], primary, { relationOf });
    },
    isRight: (choice) =>
      choice.do === 'switch' && Math.abs((choice.to?.frame ?? 0) - choice.atFrame - 48) <= 1,
  },
  {
    guard: 'another programme is not joined in step',
    file: 'relay/joining.ts',
    whole: "relation.is === 'different' || situation.hold !== null",
    broken: "relation.is === 'same' && situation.hold !== null",
    in: () => {
      const primary = silentSince('primary', CURSOR_MS + 2_000);
      const late = { ...situation([primary, autodj], primary, { relationOf: () => DIFFERENT }) };
      return { ...late, latencyMs: late.latencyMs + 1_000 };
    },
    isRight: (choice) =>
      choice.do === 'switch' && Math.abs((choice.to?.frame ?? 0) - choice.atFrame + frameOf(1_000)) <= 1,
  },
  {
    guard: 'a return to a copy waits until that holds the moment that is played',
    file: 'relay/returning.ts',
    whole: 'if (frame < take.startFrame + REACH_FRAMES) return null;',
    broken: '',
    in: () => {
      const secondary = good('secondary');
      const renewed = good('primary', [takeOf('primary', { fromMs: NOW_MS - 4_000 })]);
      const sight = situation([renewed, secondary], secondary, { relationOf: () => copy(0) });
      // The latency has grown: what is played is further back than the delay.
      return { ...sight, policy: { ...sight.policy, delayMs: 2_000 } };
    },
    isRight: stays,
  },
  {
    guard: 'a copy in step is gone to before a leg that would be heard as a jump',
    file: 'relay/choice.ts',
    whole: '!canBeHitless || isOther(one)',
    broken: '!canBeHitless || one.leg !== current',
    in: () => {
      const primary = silentSince('primary', CURSOR_MS + 3_000);
      const dublin = good('primary@dublin');
      return situation([primary, dublin, good('secondary')], primary, {
        relationOf: ({ leg }) => (leg === dublin.leg ? { is: 'unknown' } : copy(300)),
      });
    },
    isRight: goesTo('secondary'),
  },
  {
    guard: 'a copy in step is gone to while too little is in hand to find a fault in',
    file: 'relay/choice.ts',
    whole: "back.do === 'switch' ? back : takeShelter(",
    broken: 'back.do !== null ? back : takeShelter(',
    in: () => {
      const primary = good('primary', [takeOf('primary', { toMs: CURSOR_MS + 3_000 })]);
      const legs = [primary, good('secondary')];
      return situation(legs, primary, { nowMs: CURSOR_MS + 3_000, relationOf: () => copy(-2_000) });
    },
    isRight: goesTo('secondary'),
  },
];
