import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeEmergencyFiles } from '../../../src/cli/check/judge-emergency.ts';
import { loadConfigText } from '../../../src/config/index.ts';
import { runFfmpeg } from '../../../src/demo/rig/material.ts';
import { systemClock } from '../../../src/platform/clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'sustain-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The file stands beside the config, as a path without a slash says. */
async function findingsFor(emergencyFile: string, mode = 'relay') {
  const text = `
server: london
servers:
  london: { url: "http://10.0.0.1:8000", admin: { passwordEnv: ADMIN }, source: { passwordEnv: ADMIN } }
stations:
  myfm:
    sources: [{ name: primary, mount: /primary }, { name: autodj, mount: /autodj }]
    serve: { mode: ${mode}, outputs: [{ mount: /stream, codec: mp3 }], emergencyFile: ${emergencyFile} }
`;
  const loaded = await loadConfigText(text, join(folder, 'sustain.yaml'), { ADMIN: 'hunter2' }, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return judgeEmergencyFiles(loaded.config, { clock: systemClock, ffmpegPath: 'ffmpeg' });
}

describe('check, of the emergency file', () => {
  it('says nothing when it can be played', async () => {
    const { output } = await runFfmpeg(['-f', 'lavfi', '-i', 'sine=440:duration=3', '-f', 'ogg', 'pipe:1']);
    writeFileSync(join(folder, 'good.ogg'), output);
    expect(await findingsFor('good.ogg')).toEqual([]);
  });

  it('finds one that is missing, and one that is no sound', async () => {
    writeFileSync(join(folder, 'letter.mp3'), 'Dear listeners, '.repeat(500));
    for (const [name, says] of [
      ['none.mp3', 'does not exist'],
      ['letter.mp3', 'is no sound that is known here'],
    ] as const) {
      const [finding, ...others] = await findingsFor(name);
      expect(others).toEqual([]);
      expect(finding).toMatchObject({
        severity: 'fault',
        server: 'london',
        about: 'emergency file of myfm',
        says: expect.stringContaining(`${join(folder, name)} ${says}`),
      });
      expect(finding?.change).toContain('serve.emergencyFile');
    }
  });

  it('does not ask for it in guard mode, where it is not used', async () => {
    expect(await findingsFor('none.mp3', 'guard')).toEqual([]);
  });
});
