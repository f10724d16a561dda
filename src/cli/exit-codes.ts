/**
 * Exit codes of every command: 0 in order, 1 something is wrong out there, 2 something is wrong with what we were given. After
 * 2 systemd does not start the agent again, so that for it nothing but the config is a 2.
 */
export const EXIT = { ok: 0, failed: 1, unusable: 2 } as const;
