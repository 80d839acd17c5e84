import { type AccentColours, accentColours } from '../../core/access/accent.ts'

/** The style sheet of one accent. It has an address of its own, because our pages allow no inline style. */
export function accentSheet(accent: string): string {
  const { light, dark } = accentColours(accent)
  return `:root { ${variables(light)} }\n@media (prefers-color-scheme: dark) { :root { ${variables(dark)} } }\n`
}

function variables({ accent, ink, down }: AccentColours): string {
  return `--accent: ${accent}; --accent-ink: ${ink}; --accent-down: ${down}; --focus: ${accent};`
}
