import type { LegCondition } from '../../src/domain/conditions.ts';
import { DnsWorld, DUBLIN, type FailoverCore, LONDON } from '../../src/simulate/dns-world.ts';
import { type DnsGuard, goesTo, of, settled, stays } from './failover-guard.ts';

const AUDIBLE = (verifiedAtMs: number): LegCondition => ({ is: 'audible', sinceMs: 0, verifiedAtMs });

/** In guard mode, with what the agents know of the leg on air. */
function guarded(
  core: FailoverCore,
  onAir: (server: string, nowMs: number) => LegCondition | null,
): DnsWorld {
  const world: DnsWorld = new DnsWorld('alone', { core, onAir: (_, server) => onAir(server, world.nowMs) });
  world.pass(60);
  return world;
}

export const guardsOfJudging: readonly DnsGuard[] = [
  {
    guard: 'several bad samples in a row make a server ill, and not the first',
    file: of('health'),
    whole: "if (mount.bad >= policy.fall) return 'ill';",
    broken: "if (mount.bad >= 1) return 'ill';",
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'hung');
      world.pass(2.3);
      world.truth.set(LONDON, 'fine');
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'a server in doubt is not left yet',
    file: of('verdict'),
    whole: "own.is === 'doubt' ? (old.is === 'ill' ? 'ill' : 'well') : own.is",
    broken: "own.is === 'doubt' ? 'ill' : own.is",
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'hung');
      world.pass(2.3);
      world.truth.set(LONDON, 'fine');
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'several good samples make a server well, and not the first',
    file: of('health'),
    whole: "return mount.good >= policy.rise ? 'well' : 'unknown';",
    broken: "return 'well';",
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'dead');
      world.pass(20);
      // Now and then it answers for a moment: long enough for its sound to be proven, too short for a second sample.
      for (let turn = 0; turn < 40; turn += 1) {
        world.truth.set(LONDON, 'fine');
        world.pass(1.7);
        world.truth.set(LONDON, 'dead');
        world.pass(5.1);
      }
      const risen = world.events.filter(
        ({ event }) => event.kind === 'health-changed' && event.server === LONDON && event.to.is === 'well',
      );
      return risen.length <= 2 ? null : 'called a server well that answered for a moment';
    },
  },
  {
    guard: 'silence on a public mount is first the source switch’s to cure',
    file: of('health'),
    whole: 'tripMs: policy.silenceMs,',
    broken: 'tripMs: 2_000,',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'mute');
      world.pass(12);
      world.truth.set(LONDON, 'fine');
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'a pause of our own decoders says nothing of a server',
    file: of('health'),
    whole: "case 'deaf':\n      return 'unknown';",
    broken: "case 'deaf':\n      return { illness: 'silent', detail: '' };",
    mistake: (core) => {
      const world = settled(core);
      world.agent('dublin').isDeaf = true;
      world.pass(60);
      const ill = world.events.some(({ event }) => event.kind === 'health-changed' && event.to.is === 'ill');
      return ill ? 'an agent that went deaf called a server ill' : null;
    },
  },
  {
    guard: 'what was last known too long ago is not known any more',
    file: of('health'),
    whole: 'return knownAtMs === null || nowMs - knownAtMs > 3 * policy.intervalMs;',
    broken: 'return knownAtMs === null || nowMs - knownAtMs > 3_000 * policy.intervalMs;',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(DUBLIN, 'mute');
      world.pass(6);
      world.truth.set(LONDON, 'hung');
      world.pass(8);
      for (const agent of world.agents) agent.isDeaf = true;
      for (const server of [LONDON, DUBLIN]) world.truth.set(server, 'fine');
      world.pass(120);
      for (const agent of world.agents) agent.isDeaf = false;
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'a good probe alone is no proof of sound',
    file: of('health'),
    whole: "return atMs - sensor.heardToMs <= policy.verifiedWithinMs ? null : 'unknown';",
    broken: 'return null;',
    mistake: (core) => {
      const world = guarded(core, (_, nowMs) => AUDIBLE(Math.min(nowMs, 30_000)));
      const well = [...world.agent('dublin').state.sights.values()].filter(
        ({ health }) => health.is === 'well',
      );
      return well.length === 0 ? null : 'called a server well that has not been heard for 30 s';
    },
  },
  {
    guard: 'a server that came back to life has to be heard anew',
    file: of('health'),
    whole: "isBack && sensor.verdict === 'sounding' ?",
    broken: "isBack && sensor.verdict === 'unheard' ?",
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(DUBLIN, 'dead');
      world.pass(30);
      world.truth.set(DUBLIN, 'mute');
      world.pass(12);
      return world.agent('london').state.sights.get(DUBLIN)?.health.is === 'well'
        ? 'called a server well that came back without sound'
        : null;
    },
  },
  {
    guard: 'what an agent knew before it stood still is forgotten',
    file: of('health'),
    whole: '{ ...mount, good: 0, bad: 0, illness: null, sensor: newSensor(atMs, atMs) },',
    broken: 'mount,',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'hung');
      world.pass(3.4);
      world.agent('dublin').isPaused = true;
      world.pass(6);
      world.agent('dublin').isPaused = false;
      world.pass(1.2);
      world.truth.set(LONDON, 'fine');
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'in guard mode a leg that nobody knows anything of is no fault of the server',
    file: of('on-air'),
    whole: "case 'unknown':\n      return { is: 'deaf' };",
    broken: "case 'unknown':\n      return { is: 'quiet' };",
    mistake: (core) =>
      stays(
        guarded(core, (server, nowMs) =>
          server === LONDON && nowMs > 30_000
            ? { is: 'unknown', sinceMs: 30_000, reason: 'starting' }
            : AUDIBLE(nowMs),
        ),
      ),
  },
  {
    guard: 'a tone or hiss is the source switch’s to cure: something is heard',
    file: of('on-air'),
    whole:
      "default:\n      // Faults in the sound itself are the source switch's to cure: something is heard.\n      return { is: 'hearing' };",
    broken: "default:\n      return { is: 'quiet' };",
    mistake: (core) =>
      stays(
        guarded(core, (server, nowMs) =>
          server === LONDON && nowMs > 30_000
            ? { is: 'faulty', sinceMs: 30_000, fault: 'tone', detail: '' }
            : AUDIBLE(nowMs),
        ),
      ),
  },
  {
    guard: 'most of the witnesses have to find a server ill',
    file: of('verdict'),
    whole: "if (ill * 2 > voices.length) return 'ill';",
    broken: "if (ill > 0) return 'ill';",
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.cut('london', 'dublin');
      world.pass(120);
      return stays(world);
    },
  },
  {
    guard: 'one witness alone is never enough',
    file: of('verdict'),
    whole: "if (voices.length < 2) return 'unknown';",
    broken: '',
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.cut('london', 'dublin');
      world.cut('london', 'witness');
      world.pass(30);
      return world.agent('london').state.verdicts.get(DUBLIN)?.is === 'ill'
        ? 'a site that sees nobody else called the other dead'
        : null;
    },
  },
  {
    guard: 'what others said a while ago counts no more',
    file: of('verdict'),
    whole: 'nowMs - heardAtMs <= policy.freshMs',
    broken: 'nowMs - heardAtMs <= 1_000 * policy.freshMs',
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.cut('london', 'witness');
      world.pass(30);
      world.kill('witness');
      world.pass(10);
      world.cut('london', 'dublin');
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'an undecided vote leaves what was agreed on',
    file: of('verdict'),
    whole: "return state.verdicts.get(server)?.is ?? 'unknown';",
    broken: "return 'ill';",
    mistake: (core) => {
      const world = settled(core, 'cluster');
      world.kill('witness');
      world.pass(10);
      world.truth.set(LONDON, 'hung');
      world.pass(2.3);
      world.truth.set(LONDON, 'fine');
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'no address is published whose sound was not proven in the last 5 s',
    file: of('choice'),
    whole: 'return nowMs - verifiedAtMs(state, server, nowMs, policy) <= policy.verifiedWithinMs;',
    broken: 'return nowMs > 0 && verifiedAtMs(state, server, nowMs, policy) > 0;',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(DUBLIN, 'mute');
      world.pass(6);
      world.truth.set(LONDON, 'dead');
      world.pass(8);
      return stays(world);
    },
  },
  {
    guard: 'nobody is sent to a server that is not agreed to be well',
    file: of('choice'),
    whole: "if (server === undefined || state.verdicts.get(server)?.is !== 'well') return false;",
    broken: 'if (server === undefined) return false;',
    mistake: (core) => {
      const world = new DnsWorld('cluster', { core });
      world.dns = { server: null, epoch: null };
      // One that is left alone hears both, and nobody bears it out.
      world.kill('london');
      world.kill('witness');
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'a hold lets nothing automatic happen',
    file: of('choice'),
    whole: 'if (hold !== null) {',
    broken: 'if (hold !== null && hold.server !== null) {',
    mistake: (core) => {
      const world = settled(core);
      for (const { name } of world.agents) world.ask(name, { do: 'hold', author: 'eve', forMs: 600_000 });
      world.truth.set(LONDON, 'dead');
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'what an operator asked for is not done once it would send listeners to silence',
    file: of('choice'),
    whole: 'if (!hold.override && !isFit(state, hold.server, nowMs, policy)) return STAY;',
    broken: '',
    mistake: (core) => {
      const world = settled(core);
      for (const { name } of world.agents) world.noDns.add(name);
      for (const { name } of world.agents)
        world.ask(name, { do: 'force', server: DUBLIN, author: 'eve', forMs: 600_000, override: false });
      world.truth.set(DUBLIN, 'dead');
      world.pass(20);
      world.noDns.clear();
      world.pass(30);
      return stays(world);
    },
  },
  {
    guard: 'a name that somebody else pointed elsewhere is left alone',
    file: of('choice'),
    whole: "if (record.record.is === 'foreign') return STAY;",
    broken: '',
    mistake: (core) => {
      const world = settled(core);
      world.isForeign = true;
      world.pass(60);
      return stays(world);
    },
  },
  {
    guard: 'a server must be well for the restore delay before the name returns',
    file: of('choice'),
    whole: 'wellMs < policy.restoreMs + holdDownAt(',
    broken: 'wellMs < 0 * holdDownAt(',
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'dead');
      world.pass(20);
      world.truth.set(LONDON, 'fine');
      world.pass(100);
      return goesTo(world, DUBLIN);
    },
  },
  {
    guard: 'a server that keeps failing is gone back to ever later',
    file: of('choice'),
    whole: 'policy.restoreMs + holdDownAt(flapOf(state, server), nowMs, policy.flap)',
    broken: 'policy.restoreMs + 0 * holdDownAt(flapOf(state, server), nowMs, policy.flap)',
    mistake: flapsTooOften,
  },
  {
    guard: 'every relapse counts',
    file: of('step'),
    whole: "if (is === 'ill' && state.verdicts.get(server)?.known === 'well')",
    broken: "if (is === 'ill' && nowMs < 0)",
    mistake: flapsTooOften,
  },
  {
    guard: 'a server that stayed dead while nothing was known of it has failed once',
    file: of('step'),
    whole: "state.verdicts.get(server)?.known === 'well')",
    broken: "state.verdicts.get(server)?.is !== 'ill')",
    mistake: (core) => {
      const world = settled(core);
      world.truth.set(LONDON, 'dead');
      for (let pause = 0; pause < 3; pause += 1) {
        world.pass(20);
        for (const agent of world.agents) agent.isPaused = true;
        world.pass(5);
        for (const agent of world.agents) agent.isPaused = false;
      }
      world.pass(20);
      world.truth.set(LONDON, 'fine');
      world.pass(200);
      return goesTo(world, DUBLIN, LONDON);
    },
  },
  {
    guard: 'at the start the better server may only be slower to be proven',
    file: of('choice'),
    whole: 'if (nowMs - state.startedAtMs < 3 * policy.intervalMs &&',
    broken: 'if (nowMs < 0 &&',
    mistake: (core) => {
      const world = new DnsWorld('alone', { core });
      world.dns = { server: null, epoch: null };
      world.truth.set(LONDON, 'hung');
      world.pass(2.5);
      world.truth.set(LONDON, 'fine');
      world.pass(40);
      return goesTo(world, LONDON);
    },
  },
];

function flapsTooOften(core: FailoverCore): string | null {
  const world = settled(core);
  for (let relapse = 0; relapse < 8; relapse += 1) {
    world.truth.set(LONDON, 'dead');
    world.pass(30, () => {}, 500);
    world.truth.set(LONDON, 'fine');
    world.pass(210, () => {}, 500);
  }
  const returns = world.writes.filter(({ server }) => server === LONDON).length;
  return returns <= 3 ? null : `went back ${returns} times in 32 min`;
}
