import { describe, expect, it } from 'vitest';
import type { LegCondition } from '../../../src/domain/conditions.ts';
import type { LegId } from '../../../src/domain/ids.ts';
import type { Relation } from '../../../src/relay/alignment.ts';
import { choose } from '../../../src/relay/choice.ts';
import type { TakeSight } from '../../../src/relay/take.ts';
import {
  audible,
  CURSOR_MS,
  copy,
  DIFFERENT,
  faulty,
  frameOf,
  good,
  LATENCY_MS,
  legOf,
  NOW_MS,
  silentSince,
  situation,
  spliceEnd,
  switched,
  takeOf,
  UNKNOWN,
  UNKNOWN_LEG,
} from './situations.ts';

describe('a leg on air that falls silent', () => {
  const FAULT_MS = CURSOR_MS + 2_000;

  it('is left where its fault began, which has not been played yet, for the same moment of its copy', () => {
    const [primary, secondary] = [silentSince('primary', FAULT_MS), good('secondary')];
    const choice = switched(
      choose(situation([primary, secondary], primary, { relationOf: () => copy(1_840) })),
    );
    expect(choice).toMatchObject({ trigger: 'fault', fadeFrames: 960, to: { take: { leg: 'secondary' } } });
    const { leftMs, joinedMs } = spliceEnd(choice);
    expect(leftMs).toBeLessThanOrEqual(FAULT_MS);
    expect(leftMs).toBeGreaterThan(FAULT_MS - 30);
    expect(joinedMs - leftMs).toBeCloseTo(1_840, 6);
    expect(choice.because).toBe(
      'primary is silent for 5.0 s (under -50 dBFS); secondary carries the same programme',
    );
  });

  it('is left before a pause in which it lost some of its programme, where its copy is in step before that and not after', () => {
    const lossAtMs = FAULT_MS - 800;
    const primary = { ...silentSince('primary', FAULT_MS), takes: [takeOf('primary', { lossAtMs })] };
    const relationOf = (_take: TakeSight, frame = 0) => (frame <= frameOf(lossAtMs) ? copy(0) : UNKNOWN);
    const choice = switched(choose(situation([primary, good('secondary')], primary, { relationOf })));
    expect(spliceEnd(choice).leftMs).toBeGreaterThan(lossAtMs - 30);
    expect(spliceEnd(choice).leftMs).toBeLessThanOrEqual(lossAtMs);
    expect(choice).toMatchObject({ fadeFrames: 960, to: { take: { leg: 'secondary' } } });
    const unlike = { relationOf: () => DIFFERENT };
    const late = switched(choose(situation([primary, good('secondary')], primary, unlike)));
    expect(spliceEnd(late).leftMs).toBeGreaterThan(lossAtMs);
  });

  it('is left where the sound really ends, when the block of levels is coarser', () => {
    const [primary, secondary] = [silentSince('primary', FAULT_MS), good('secondary')];
    const soundEndNear = (_take: TakeSight, frame: number) => frame - frameOf(60);
    const choice = switched(
      choose(situation([primary, secondary], primary, { relationOf: () => copy(0), soundEndNear })),
    );
    expect(spliceEnd(choice).leftMs).toBeLessThanOrEqual(FAULT_MS - 60);
  });

  it('goes to the first leg in order that is good there: the other server before the secondary', () => {
    const primary = silentSince('primary@london', FAULT_MS);
    const legs = [primary, good('primary@dublin'), good('secondary@london')];
    expect(switched(choose(situation(legs, primary))).to?.take.leg).toBe('primary@dublin');
  });

  it('goes to a copy in step before a leg ahead of it that would be heard as a jump', () => {
    const primary = silentSince('primary', CURSOR_MS + 3_000);
    const [dublin, secondary] = [good('primary@dublin'), good('secondary')];
    const towards = (of: Relation) =>
      switched(
        choose(
          situation([primary, dublin, secondary], primary, {
            relationOf: ({ leg }) => (leg === dublin.leg ? of : copy(300)),
          }),
        ),
      ).to?.take.leg;
    expect(towards(UNKNOWN)).toBe('secondary');
    expect(towards(copy(-60_000))).toBe('secondary');
    expect(towards(copy(600))).toBe('primary@dublin');
    expect(towards(DIFFERENT)).toBe('primary@dublin');
  });

  it('passes over a copy that falls silent at the same moment of the programme', () => {
    const primary = silentSince('primary', FAULT_MS);
    const legs = [primary, silentSince('secondary', FAULT_MS + 500), good('autodj')];
    const relationOf = (take: TakeSight) => (take.leg === 'secondary' ? copy(500) : DIFFERENT);
    const choice = switched(choose(situation(legs, primary, { relationOf })));
    expect(choice).toMatchObject({ to: { take: { leg: 'autodj' } }, correlation: 0, fadeFrames: 12_000 });
    expect(spliceEnd(choice).joinedMs).toBeCloseTo(spliceEnd(choice).leftMs, 6);
  });

  it('passes over a leg that has failed and is not good for long enough yet, unless there is no other', () => {
    const primary = silentSince('primary', FAULT_MS);
    const shaky = legOf('secondary', {
      conditions: [
        [NOW_MS - 60_000, faulty(NOW_MS - 70_000)],
        [NOW_MS, audible(NOW_MS - 9_000)],
      ],
    });
    expect(switched(choose(situation([primary, shaky, good('autodj')], primary))).to?.take.leg).toBe(
      'autodj',
    );
    expect(switched(choose(situation([primary, shaky], primary))).to?.take.leg).toBe('secondary');
  });

  it('stays on air when nothing else is audible: its own quiet sound is better than none', () => {
    const primary = silentSince('primary', FAULT_MS);
    expect(choose(situation([primary, silentSince('autodj', 1_000)], primary)).do).toBe('stay');
  });

  it('turns the polarity of a copy that is inverted', () => {
    const [primary, secondary] = [silentSince('primary', FAULT_MS), good('secondary')];
    const relationOf = (): Relation => ({ ...copy(0), inverted: true });
    expect(switched(choose(situation([primary, secondary], primary, { relationOf }))).to?.inverted).toBe(
      true,
    );
  });
});

describe('a leg on air with a fault in its sound that takes time to be sure of', () => {
  /** Taken for good up to now, and then found to carry a tone since `sinceMs`. */
  const toneSince = (sinceMs: number, name = 'primary') =>
    legOf(name, {
      conditions: [
        [NOW_MS - 500, audible(0, NOW_MS - 1_000)],
        [NOW_MS, faulty(sinceMs, 'tone')],
      ],
    });

  it('is left just before it began, as long as that has not been played yet', () => {
    const primary = toneSince(CURSOR_MS + 2_000);
    const { leftMs } = spliceEnd(switched(choose(situation([primary, good('secondary')], primary))));
    expect(leftMs).toBeLessThanOrEqual(CURSOR_MS + 1_900);
    expect(leftMs).toBeGreaterThan(CURSOR_MS + 1_800);
  });

  it('is left at once when it began longer ago than the delay reaches', () => {
    const primary = toneSince(CURSOR_MS - 4_000);
    const choice = switched(choose(situation([primary, good('secondary')], primary)));
    expect(choice).toMatchObject({ atFrame: frameOf(CURSOR_MS), to: { take: { leg: 'secondary' } } });
    expect(choice.because).toMatch(/^primary is tone for 11\.0 s/);
  });

  it('is not joined where its own fault, found later, had begun', () => {
    const [primary, secondary] = [silentSince('primary', CURSOR_MS + 2_000), toneSince(CURSOR_MS - 9_000)];
    expect(choose(situation([primary, { ...secondary, leg: 'secondary' as LegId }], primary)).do).toBe(
      'stay',
    );
  });
});

describe('a leg on air whose sound ends', () => {
  it('is left before what came after the last proof, which may be of the mount that we were carried to', () => {
    const late = { toMs: CURSOR_MS + 3_000, isOpen: false, lateMs: 300 };
    const again = takeOf('primary');
    for (const gone of [[], [[NOW_MS, faulty(CURSOR_MS + 2_900, 'absent')] as const]]) {
      const primary = legOf('primary', {
        takes: [takeOf('primary', late), again],
        conditions: [[NOW_MS - 4_000, audible(0, CURSOR_MS + 2_500)], ...gone],
      });
      const legs = [primary, good('secondary')];
      const choice = choose(situation(legs, primary, { relationOf: () => copy(0) }));
      const { leftMs } = spliceEnd(switched(choice));
      expect(leftMs).toBeLessThanOrEqual(CURSOR_MS + 2_200);
      expect(leftMs).toBeGreaterThan(CURSOR_MS + 2_000);
    }
  });

  it('is left at the last proof of its own connection, however far the one after it proves the leg', () => {
    const carriedOff = { toMs: CURSOR_MS + 3_000, isOpen: false, provenToMs: CURSOR_MS + 1_500 };
    const primary = good('primary', [takeOf('primary', carriedOff), takeOf('primary')]);
    const choice = choose(situation([primary], primary, { relationOf: () => copy(0) }));
    const { leftMs } = spliceEnd(switched(choice));
    expect(leftMs).toBeLessThanOrEqual(CURSOR_MS + 1_500);
    expect(leftMs).toBeGreaterThan(CURSOR_MS + 1_300);
  });

  it('is left at its last proven moment when its source is gone', () => {
    const primary = legOf('primary', {
      takes: [takeOf('primary', { toMs: CURSOR_MS + 3_000, isOpen: false })],
      conditions: [
        [NOW_MS - 4_000, audible(0, CURSOR_MS + 2_500)],
        [NOW_MS, faulty(CURSOR_MS + 2_900, 'absent')],
      ],
    });
    const { leftMs } = spliceEnd(switched(choose(situation([primary, good('secondary')], primary))));
    expect(leftMs).toBeLessThanOrEqual(CURSOR_MS + 2_500);
    expect(leftMs).toBeGreaterThan(CURSOR_MS + 2_300);
  });

  it('is gone on with on its own new connection when that is aligned', () => {
    const takes = [
      takeOf('primary', { toMs: CURSOR_MS + 4_000, isOpen: false }),
      takeOf('primary', { fromMs: CURSOR_MS + 1_000 }),
    ];
    const primary = good('primary', takes);
    const relationOf = (take: TakeSight) => (take === takes[1] ? copy(12) : UNKNOWN);
    const choice = switched(choose(situation([primary, good('secondary')], primary, { relationOf })));
    expect(choice).toMatchObject({ to: { take: takes[1] }, fadeFrames: 960 });
    expect(choice.because).toBe('primary was connected to anew');
  });

  it('is left at once when nothing comes any more, whatever is said of it', () => {
    const primary = legOf('primary', {
      takes: [takeOf('primary', { toMs: CURSOR_MS + 150 })],
      conditions: [[NOW_MS, UNKNOWN_LEG]],
    });
    const choice = switched(choose(situation([primary, good('secondary')], primary)));
    expect(choice.atFrame).toBe(frameOf(CURSOR_MS));
    expect(choice.to?.take.leg).toBe('secondary');
  });

  it('is left for a take that has just begun with nothing of a long fade missing', () => {
    const takes = [takeOf('autodj', { fromMs: CURSOR_MS + 1_000 })];
    const [primary, autodj] = [silentSince('primary', CURSOR_MS + 4_000), good('autodj', takes)];
    const { policy, ...plain } = situation([primary, autodj], primary);
    const choice = switched(choose({ ...plain, policy: { ...policy, differentFadeMs: 3_500 } }));
    expect(choice.fadeFrames).toBe(frameOf(3_500));
    expect(choice.to?.frame ?? 0).toBeGreaterThanOrEqual(frameOf(CURSOR_MS + 1_050));
  });

  it('is left at once when so much came at once that what was to be played is not kept', () => {
    const primary = good('primary', [takeOf('primary', { fromMs: CURSOR_MS + 500 })]);
    const choice = switched(choose(situation([primary, good('secondary')], primary)));
    expect(choice.to?.take.leg).toBe('secondary');
  });

  it('is followed by the noise floor when there is no other', () => {
    const primary = legOf('primary', {
      takes: [takeOf('primary', { toMs: CURSOR_MS + 150 })],
      conditions: [[NOW_MS, UNKNOWN_LEG]],
    });
    expect(choose(situation([primary], primary))).toMatchObject({ do: 'switch', to: null });
  });

  it('is left for a stall only at the end of what is in hand, with the whole fade before that', () => {
    const primary = legOf('primary', {
      takes: [takeOf('primary', { toMs: NOW_MS - 2_500 })],
      conditions: [
        [NOW_MS - 500, audible(0, NOW_MS - 3_000)],
        [NOW_MS, faulty(NOW_MS - 2_500, 'stalled')],
      ],
    });
    const choice = switched(choose(situation([primary, good('autodj')], primary)));
    expect(choice.to?.take.leg).toBe('autodj');
    const { leftMs } = spliceEnd(choice);
    expect(leftMs).toBeLessThan(NOW_MS - 2_500);
    expect(leftMs).toBeGreaterThan(NOW_MS - 2_700);
    expect(choice.fadeFrames).toBe(12_000);
  });

  it('is not left for a stall that is over before its place is played, on whichever side the fault lies', () => {
    const resumed = (sinceMs: number, later: LegCondition) =>
      legOf('primary', {
        conditions: [
          [NOW_MS - 5_000, audible(0, sinceMs - 100)],
          [NOW_MS - 3_000, faulty(sinceMs, 'stalled')],
          [NOW_MS - 2_500, { is: 'unknown', sinceMs: NOW_MS - 2_500, reason: 'starting' }],
          [NOW_MS, later],
        ],
      });
    const stallMs = CURSOR_MS + 2_000;
    const well = resumed(stallMs, audible(NOW_MS - 2_500));
    expect(choose(situation([well, good('autodj')], well)).do).toBe('stay');
    const silentAfter = resumed(stallMs, faulty(NOW_MS - 2_500));
    const choice = switched(choose(situation([silentAfter, good('autodj')], silentAfter)));
    expect(spliceEnd(choice).leftMs).toBeLessThan(stallMs);
  });

  it('is not left for a pause on the line that is shorter than what is in hand', () => {
    const primary = legOf('primary', {
      takes: [takeOf('primary', { toMs: NOW_MS - 3_000 })],
      conditions: [[NOW_MS, audible(0, NOW_MS - 3_000)]],
    });
    expect(choose(situation([primary, good('secondary')], primary)).do).toBe('stay');
  });
});

describe('the return to a better leg', () => {
  const back = (sinceMs: number) =>
    legOf('primary', {
      takes: [takeOf('primary', { fromMs: NOW_MS - 40_000 })],
      conditions: [
        [NOW_MS - 60_000, faulty(NOW_MS - 65_000)],
        [NOW_MS, audible(sinceMs)],
      ],
    });

  it('waits for the restore delay', () => {
    const autodj = good('autodj');
    expect(choose(situation([back(NOW_MS - 9_900), autodj], autodj)).do).toBe('stay');
    expect(choose(situation([back(NOW_MS - 10_100), autodj], autodj)).do).toBe('switch');
  });

  it('is not made to a worse leg when the best one is good enough in a moment', () => {
    const autodj = good('autodj');
    const secondary = legOf('secondary', {
      conditions: [
        [NOW_MS - 60_000, faulty(NOW_MS - 65_000)],
        [NOW_MS, audible(NOW_MS - 10_100)],
      ],
    });
    expect(choose(situation([back(NOW_MS - 9_500), secondary, autodj], autodj)).do).toBe('stay');
    const choice = switched(choose(situation([back(NOW_MS - 2_000), secondary, autodj], autodj)));
    expect(choice.to?.take.leg).toBe('secondary');
  });

  it('waits for the dwell after the last switch', () => {
    const autodj = good('autodj');
    const legs = [back(NOW_MS - 12_000), autodj];
    expect(choose(situation(legs, autodj, { lastSwitchAtMs: NOW_MS - 4_000 })).do).toBe('stay');
  });

  it('keeps the first words: another programme is joined at its first proven sound', () => {
    const autodj = good('autodj');
    const choice = switched(choose(situation([back(NOW_MS - 12_000), autodj], autodj)));
    expect(choice).toMatchObject({ trigger: 'return', fadeFrames: 12_000 });
    expect((choice.to?.frame ?? 0) / 48).toBeCloseTo(NOW_MS - 12_050, 0);
  });

  it('waits until its first words are as far back as listeners are, where that is longer than the restore delay', () => {
    const autodj = legOf('autodj', {
      takes: [takeOf('autodj', { fromMs: NOW_MS - 60_000 })],
      conditions: [[NOW_MS, audible(0)]],
    });
    const wordsSince = (sinceMs: number) => {
      const primary = back(sinceMs);
      return choose(situation([primary, autodj], autodj, { latencyMs: 24_000 }));
    };
    expect(wordsSince(NOW_MS - 12_000).do).toBe('stay');
    expect(wordsSince(NOW_MS - 23_500).do).toBe('stay');
    const choice = switched(wordsSince(NOW_MS - 24_500));
    expect((choice.to?.frame ?? 0) / 48).toBeCloseTo(NOW_MS - 24_550, 0);
  });

  it('keeps the first words of an encoder that was started anew: they begin with its take', () => {
    const autodj = good('autodj');
    const primary = legOf('primary', {
      takes: [takeOf('primary', { fromMs: NOW_MS - 12_000 })],
      conditions: [
        [NOW_MS - 60_000, faulty(NOW_MS - 65_000)],
        [NOW_MS, audible(NOW_MS - 12_000)],
      ],
    });
    const choice = switched(choose(situation([primary, autodj], autodj)));
    expect((choice.to?.frame ?? 0) / 48).toBeCloseTo(NOW_MS - 11_950, 0);
  });

  it('waits until a new connection goes as far back as listeners are, though the leg has been good for longer', () => {
    const autodj = good('autodj');
    const renewedAgo = (ms: number) =>
      choose(situation([good('primary', [takeOf('primary', { fromMs: NOW_MS - ms })]), autodj], autodj));
    expect(renewedAgo(4_000).do).toBe('stay');
    expect((switched(renewedAgo(LATENCY_MS + 100)).to?.frame ?? 0) / 48).toBeCloseTo(NOW_MS - LATENCY_MS, 0);
  });

  it('does not go back for first words that are long past', () => {
    const autodj = good('autodj');
    const choice = switched(choose(situation([good('primary'), autodj], autodj)));
    expect((choice.to?.frame ?? 0) / 48).toBeCloseTo(NOW_MS - LATENCY_MS, 0);
  });

  it('goes on at the same moment when it is the same programme', () => {
    const secondary = good('secondary');
    const choice = switched(
      choose(situation([back(NOW_MS - 12_000), secondary], secondary, { relationOf: () => copy(-1_840) })),
    );
    expect((choice.to?.frame ?? 0) - choice.atFrame).toBe(frameOf(-1_840));
    expect(choice.fadeFrames).toBe(960);
  });

  it('waits until a copy holds the moment that is played, and makes no jump to it', () => {
    const secondary = good('secondary');
    const renewed = good('primary', [takeOf('primary', { fromMs: NOW_MS - 4_000 })]);
    const inStep = { relationOf: () => copy(0) };
    expect(choose(situation([renewed, secondary], secondary, inStep)).do).toBe('stay');
    const late = { relationOf: () => copy(LATENCY_MS) };
    const wanted = { ...late, latencyMs: 2 * LATENCY_MS };
    expect(choose(situation([good('primary'), secondary], secondary, wanted)).do).toBe('stay');
    // As far behind as the latency never grows, there is no other way.
    expect(choose(situation([good('primary'), secondary], secondary, late)).do).toBe('switch');
  });

  it('waits a while to learn whether it is the same programme', () => {
    const secondary = good('secondary');
    const unknown = { relationOf: () => UNKNOWN };
    expect(choose(situation([back(NOW_MS - 12_000), secondary], secondary, unknown)).do).toBe('stay');
    expect(choose(situation([back(NOW_MS - 25_000), secondary], secondary, unknown)).do).toBe('switch');
  });

  it('does not happen from a good leg to a worse one', () => {
    const primary = good('primary');
    expect(choose(situation([primary, good('secondary')], primary)).do).toBe('stay');
  });
});

describe('an operator who holds', () => {
  const hold = (leg: string | null) => ({ hold: { author: 'eve', leg: leg as LegId | null } });

  it('keeps a leg on air whatever is said of it', () => {
    const primary = silentSince('primary', CURSOR_MS + 1_000);
    expect(choose(situation([primary, good('secondary')], primary, hold(null))).do).toBe('stay');
    const secondary = good('secondary');
    expect(choose(situation([good('primary'), secondary], secondary, hold('secondary'))).do).toBe('stay');
  });

  it('gets the leg that was asked for at once, in step when it is a copy', () => {
    const primary = good('primary');
    const more = { ...hold('secondary'), relationOf: () => copy(1_840), lastSwitchAtMs: NOW_MS - 10 };
    const choice = switched(choose(situation([primary, good('secondary')], primary, more)));
    expect(choice).toMatchObject({
      trigger: 'operator',
      because: 'eve asked for secondary',
      fadeFrames: 960,
    });
    expect((choice.to?.frame ?? 0) - choice.atFrame).toBe(frameOf(1_840));
  });

  it('does not stop the stream: a leg that runs dry is left all the same', () => {
    const primary = good('primary', [takeOf('primary', { toMs: CURSOR_MS + 100 })]);
    expect(choose(situation([primary, good('secondary')], primary, hold(null))).do).toBe('switch');
  });

  it('gets a leg that is known to be bad, having overridden what is said of it', () => {
    const bad = silentSince('secondary', CURSOR_MS - 9_000);
    const primary = good('primary');
    const choice = switched(choose(situation([primary, bad], primary, hold('secondary'))));
    expect(choice).toMatchObject({ trigger: 'operator', to: { take: { leg: 'secondary' } } });
  });

  it.each([
    ['was asked for', 'secondary', good],
    ['was asked for although it is bad', 'secondary', (name: string) => silentSince(name, CURSOR_MS - 9_000)],
    ['is not to be touched', null, good],
  ])('stays with the leg that %s when our connection to it is renewed', (_, asked, made) => {
    const takes = [
      takeOf('secondary', { toMs: CURSOR_MS + 100, isOpen: false }),
      takeOf('secondary', { fromMs: CURSOR_MS - 3_000 }),
    ];
    const secondary = { ...made('secondary'), takes };
    const legs = [good('primary'), secondary, good('autodj')];
    const choice = switched(choose(situation(legs, secondary, hold(asked))));
    expect(choice.to?.take).toBe(takes[1]);
  });

  it('is nobody while a silence is planned: a leg goes on on its own new connection, as there may be sound after all', () => {
    const takes = [
      takeOf('primary', { toMs: CURSOR_MS + 100, isOpen: false }),
      takeOf('primary', { fromMs: CURSOR_MS - 3_000 }),
    ];
    const silence = { hold: { author: 'two minutes', leg: null, isSilence: true } };
    const primary = good('primary', takes);
    const choice = switched(choose(situation([primary, good('secondary')], primary, silence)));
    expect(choice.to?.take).toBe(takes[1]);
  });

  it('is nobody while a silence is planned: a leg that ends is silence too', () => {
    const primary = good('primary', [takeOf('primary', { toMs: CURSOR_MS + 100 })]);
    const silence = { hold: { author: 'two minutes', leg: null, isSilence: true } };
    expect(choose(situation([primary, good('secondary')], primary, silence)).do).toBe('stay');
  });
});

describe('the start', () => {
  const early = { hasPlayed: false, startedAtMs: NOW_MS - 3_000 };

  it('waits for a better leg that is still unknown, but not for ever', () => {
    const legs = [legOf('primary', { conditions: [[NOW_MS, UNKNOWN_LEG]] }), good('secondary')];
    expect(choose(situation(legs, null, early)).do).toBe('stay');
    const late = { hasPlayed: false, startedAtMs: NOW_MS - 16_000 };
    expect(switched(choose(situation(legs, null, late))).to?.take.leg).toBe('secondary');
  });

  it('waits until the delay is full', () => {
    const young = good('primary', [takeOf('primary', { fromMs: NOW_MS - 5_000 })]);
    expect(choose(situation([young], null, early)).do).toBe('stay');
    const choice = switched(choose(situation([good('primary')], null, early)));
    expect(choice).toMatchObject({ trigger: 'start', atFrame: 0 });
    expect((choice.to?.frame ?? 0) / 48).toBe(CURSOR_MS);
  });

  it('waits a moment to learn how far behind the copies are', () => {
    const legs = [good('primary'), good('secondary')];
    const unknown = { ...early, relationOf: () => UNKNOWN };
    expect(choose(situation(legs, null, unknown)).do).toBe('stay');
    expect(choose(situation(legs, null, { ...unknown, startedAtMs: NOW_MS - 14_000 })).do).toBe('switch');
  });

  it('after nothing was audible begins with the first proven sound', () => {
    const sinceMs = NOW_MS - 6_000;
    const primary = legOf('primary', {
      conditions: [
        [NOW_MS - 60_000, faulty(NOW_MS - 65_000)],
        [NOW_MS, audible(sinceMs)],
      ],
    });
    expect(choose(situation([primary], null)).do).toBe('stay');
    const laterMs = sinceMs + LATENCY_MS;
    const later = situation([primary], null, { nowMs: laterMs });
    expect((switched(choose(later)).to?.frame ?? 0) / 48).toBe(sinceMs);
  });
});
