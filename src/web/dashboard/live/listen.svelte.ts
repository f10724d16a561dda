/** What is listened to on this page: one mount at a time, through the agent, so that no other host is asked. */
class Listening {
  /** `server mount`; null: nothing. */
  to = $state<string | null>(null);
  is = $state<'waiting' | 'playing' | 'failed'>('waiting');
  #audio: HTMLAudioElement | null = null;

  toggle(station: string, server: string, mount: string): void {
    const wanted = `${server} ${mount}`;
    const isSame = this.to === wanted && this.is !== 'failed';
    this.stop();
    if (isSame) return;
    const query = new URLSearchParams({ server, mount });
    const audio = new Audio(`/api/v1/stations/${encodeURIComponent(station)}/hear?${query}`);
    audio.onplaying = () => {
      this.is = 'playing';
    };
    audio.onwaiting = () => {
      this.is = 'waiting';
    };
    const failed = () => {
      if (this.#audio === audio) this.is = 'failed';
    };
    audio.onerror = failed;
    audio.onended = failed;
    this.#audio = audio;
    this.to = wanted;
    this.is = 'waiting';
    audio.play().catch(failed);
  }

  stop(): void {
    const audio = this.#audio;
    this.#audio = null;
    this.to = null;
    if (audio === null) return;
    audio.pause();
    // Only so does a browser hang up.
    audio.removeAttribute('src');
    audio.load();
  }
}

export const listening = new Listening();
