/** What a person put away, and until when. Survives a reload where the browser lets it, so that "tomorrow" means tomorrow. */
export interface Dismissals {
  /** Milliseconds since 1970; 0 for what was never put away. */
  until(key: string): number
  dismiss(key: string, until: number): void
  subscribe(listener: () => void): () => void
  /** Another object after each change, for `useSyncExternalStore`. */
  snapshot(): object
}

const PLACE = 'evergrant-dismissed'

export function createDismissals(): Dismissals {
  let kept: Readonly<Record<string, number>> = load()
  const listeners = new Set<() => void>()
  return {
    until: (key) => kept[key] ?? 0,
    dismiss(key, until) {
      kept = { ...kept, [key]: until }
      save(kept)
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    snapshot: () => kept,
  }
}

/** Only keys and instants: nothing that anybody could use. */
function load(): Record<string, number> {
  try {
    const stored = JSON.parse(localStorage.getItem(PLACE) ?? '{}')
    return Object.fromEntries(Object.entries<number>(stored).filter(([, until]) => until > Date.now()))
  } catch {
    return {}
  }
}

function save(kept: object): void {
  try {
    localStorage.setItem(PLACE, JSON.stringify(kept))
  } catch {
    // A private window: it is remembered as long as the page is.
  }
}
