import type { Mutant } from './mutation.ts';

export const mutants: readonly Mutant[] = [
  {
    guard: 'a reading counts only while its monitor is proven on the mount it claims',
    file: 'decide/leg.ts',
    whole: 'if (view.monitors.includes(monitor)) return release(',
    broken: 'if (monitor !== null) return release(',
  },
  {
    guard: 'sound that came after the look began is not proven by it, however early it was live',
    file: 'decide/leg.ts',
    whole: 'if (reading.arrivedAtMs > provenAtMs) pending',
    broken: 'if (reading.atMs > provenAtMs) pending',
  },
  {
    guard: 'a connection must have brought bytes for a second before its burst counts',
    file: 'decide/leg.ts',
    whole: 'pulse.lastByteAtMs - pulse.openedAtMs < FLOWING_MS',
    broken: 'pulse.lastByteAtMs - pulse.openedAtMs < 0',
  },
  {
    guard: 'nothing is claimed of a leg without fresh news',
    file: 'decide/leg.ts',
    whole: 'if (nowMs - sensor.heardToMs > FRESH_MS) {',
    broken: 'if (nowMs - sensor.heardToMs > 100 * FRESH_MS) {',
  },
  {
    guard: 'silence trips after the trip delay, not at the first pause',
    file: 'decide/sound.ts',
    whole: 'if (block.atMs - sensor.quietFromMs < policy.tripMs ||',
    broken: 'if (block.atMs - sensor.quietFromMs < 300 ||',
  },
  {
    guard: 'clicks do not end a silence',
    file: 'decide/sound.ts',
    whole: 'const enough = soundMs > Math.min(policy.soundMs, policy.tripMs / 2);',
    broken: 'const enough = soundMs > 0;',
  },
  {
    guard: 'listeners go back only after the restore delay',
    file: 'decide/desk.ts',
    whole: 'return policy.silence.restoreMs + holdDownAt(',
    broken: 'return 0 * holdDownAt(',
  },
  {
    guard: 'the hold-down doubles with each relapse',
    file: 'decide/flap.ts',
    whole: 'policy.holdDownMs * 2 ** (failures - 2)',
    broken: 'policy.holdDownMs * 0',
  },
  {
    guard: 'no automatic return within the dwell',
    file: 'decide/choice.ts',
    whole: 'nowMs - desk.lastSwitchAtMs < policy.dwellMs',
    broken: 'nowMs - desk.lastSwitchAtMs < 0',
  },
  {
    guard: 'never onto a leg that was not verified in the last 5 s',
    file: 'decide/desk.ts',
    whole: "return condition.is === 'audible' && nowMs - condition.verifiedAtMs <= policy.verifiedWithinMs;",
    broken: 'return nowMs > 0 && policy.verifiedWithinMs > 0 && condition.sinceMs !== null;',
  },
  {
    guard: 'unknown never switches',
    file: 'decide/choice.ts',
    whole: "case 'unknown':\n      return STAY;",
    broken:
      "case 'unknown':\n      return leave(desk, legs, current, { is: 'faulty', sinceMs: nowMs, fault: 'silent', detail: '' }, nowMs, policy);",
  },
  {
    guard: 'a hold lets no automatic switch happen',
    file: 'decide/choice.ts',
    whole: 'if (desk.hold !== null || isSilencePlanned) return STAY;',
    broken: 'if (isSilencePlanned) return STAY;',
  },
  {
    guard: 'a planned silence lets no automatic switch happen',
    file: 'decide/choice.ts',
    whole: 'if (desk.hold !== null || isSilencePlanned) return STAY;',
    broken: 'if (desk.hold !== null) return STAY;',
  },
  {
    guard: 'a hold lets no automatic move happen',
    file: 'decide/sweep.ts',
    whole: 'if (desk.hold !== null && !forced) return [];',
    broken: '',
  },
  {
    guard: 'listeners who land on the faulty mount later are carried along',
    file: 'decide/sweep.ts',
    whole: 'for (const { source } of desk.away) {',
    broken:
      'for (const { source } of desk.away.filter(() => nowMs - (desk.lastSwitchAtMs ?? nowMs) < 300)) {',
  },
  {
    guard: 'listeners whom Icecast itself carried off are brought back too',
    file: 'decide/desk.ts',
    whole: 'if (at !== undefined) chain.push(at.leg.source);',
    broken: 'if (at === undefined) chain.push(gone);',
  },
  {
    guard: 'a dead colleague is stood in for',
    file: 'decide/server.ts',
    whole: "role: 'deputy',",
    broken: "role: 'watching',",
  },
  {
    guard: 'nobody stands in for a colleague who is at work',
    file: 'decide/server.ts',
    whole: 'if (missingMs < policy.deputyAfterMs)',
    broken: 'if (missingMs < 0)',
  },
  {
    guard: 'a wrong password is not a dead server',
    file: 'decide/server.ts',
    whole: "if (failure === 'unauthorised') return",
    broken:
      "if (failure === 'unauthorised') return { is: 'down', sinceMs, fault: 'refused', detail };\n  if (failure === 'overloaded' && failing.looks < 0) return",
  },
  {
    guard: 'after a long absence every backup mount may hold carried listeners',
    file: 'decide/state.ts',
    whole: 'return memory.ageMs >= policy.deputyAfterMs ? policy.sources : remembered.away;',
    broken: 'return remembered.away;',
  },
  {
    guard: 'an operator cannot force a silent source without saying so twice',
    file: 'decide/operator.ts',
    whole: 'if (!request.override && !isVerified(',
    broken: 'if (request.override && !isVerified(',
  },
  {
    guard: 'listeners are not moved to a mount of another format',
    file: 'decide/desk.ts',
    whole: 'if (from.contentType !== to.contentType) {',
    broken: 'if (from.contentType === to.mount) {',
  },
];
