/** What stands for `{P}` and `{A}` in the texts of the fault table. */
export interface Words {
  readonly provider?: string | undefined
  readonly account?: string | null | undefined
}

/** Puts the names of provider and account into a text of the fault table; what is not known begins a sentence with a capital. */
export function fillWords(text: string, words: Words): string {
  // Names come from providers and end users: what looks like a place or a replacement pattern in them stays text.
  return text.replace(/(\. )?\{([PAT])\}/g, (_found, before: string | undefined, place: string, offset: number) => {
    const unknown = place === 'P' ? 'the provider' : place === 'A' ? 'your account' : 'soon'
    const name = place === 'P' ? words.provider : place === 'A' ? words.account : undefined
    const begins = offset === 0 || before !== undefined
    return (before ?? '') + (name ?? (begins ? unknown.charAt(0).toUpperCase() + unknown.slice(1) : unknown))
  })
}
