/** What waits to be sent, was sent, or was given up on. The body is the hook's own business. */
export interface OutboxRow {
  readonly id: string;
  readonly hook: string;
  readonly state: 'waiting' | 'sent' | 'dead' | 'dropped';
  readonly attempts: number;
  readonly dueUnixMs: number;
  readonly createdUnixMs: number;
  readonly lastError: string | null;
  readonly body: string;
}
