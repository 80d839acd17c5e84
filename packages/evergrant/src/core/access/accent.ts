/** Our own pages: the lightest ground that a colour stands on in light mode, and the lightest in dark mode (`http/connect/stylesheet.ts`). */
const LIGHT_GROUND = '#f4f5f7'
const DARK_GROUND = '#1a1e24'
const DARK_INK = '#0b1420'
/** WCAG 2.2, 1.4.3: text of ordinary size. */
export const READABLE = 4.5
const STEP = 0.02

type Rgb = readonly [red: number, green: number, blue: number]

/** The colours of links and of the main button that come from one accent. */
export interface AccentColours {
  readonly accent: string
  /** Text on it. */
  readonly ink: string
  /** While the pointer is on it. */
  readonly down: string
}

export function isColour(text: string): boolean {
  return /^#[0-9a-f]{6}$/.test(text)
}

/** WCAG 2.2 contrast ratio of two colours `#rrggbb`, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((left, right) => left - right)
  return (lighter + 0.05) / (darker + 0.05)
}

/** How well the accent can be read as a link on our pages in light mode. */
export function readability(accent: string): number {
  return contrast(accent, LIGHT_GROUND)
}

/** The nearest darker colour that can be read; the same colour where it can be read already. */
export function readableAccent(accent: string): string {
  return until(accent, '#000000', (colour) => readability(colour) >= READABLE)
}

/** `accent` has to be readable. In dark mode it is as much lighter as it takes. */
export function accentColours(accent: string): { readonly light: AccentColours; readonly dark: AccentColours } {
  const bright = until(accent, '#ffffff', (colour) => contrast(colour, DARK_GROUND) >= READABLE)
  return {
    light: { accent, ink: '#ffffff', down: mixed(accent, '#000000', 0.2) },
    dark: { accent: bright, ink: DARK_INK, down: mixed(bright, '#ffffff', 0.2) },
  }
}

function until(colour: string, towards: string, good: (colour: string) => boolean): string {
  for (let share = 0; share < 1; share += STEP) {
    const candidate = mixed(colour, towards, share)
    if (good(candidate)) return candidate
  }
  return towards
}

function mixed(one: string, other: string, share: number): string {
  const parts = rgb(other)
  return `#${rgb(one)
    .map((value, index) =>
      Math.round(value + ((parts[index] ?? 0) - value) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

function luminance(colour: string): number {
  const [red, green, blue] = rgb(colour).map(linear)
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0)
}

function linear(value: number): number {
  const share = value / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

function rgb(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}
