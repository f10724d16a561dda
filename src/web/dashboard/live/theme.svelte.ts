export const THEMES = ['auto', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT_AS = 'sustain-theme';
const lightSky = matchMedia('(prefers-color-scheme: light)');

/** Dark or light, as the reader or the reader's machine wants it. */
class ThemeChoice {
  chosen = $state<Theme>(THEMES.find((theme) => theme === localStorage.getItem(KEPT_AS)) ?? 'auto');
  #isLight = $state(lightSky.matches);
  shown = $derived(this.chosen === 'auto' ? (this.#isLight ? 'light' : 'dark') : this.chosen);

  constructor() {
    lightSky.addEventListener('change', ({ matches }) => {
      this.#isLight = matches;
    });
  }

  choose(theme: Theme): void {
    this.chosen = theme;
    localStorage.setItem(KEPT_AS, theme);
  }
}

export const theme = new ThemeChoice();
