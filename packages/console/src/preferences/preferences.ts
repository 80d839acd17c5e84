import { useSyncExternalStore } from 'react'

/** What this browser remembers of how somebody likes the console. Holds nothing of any customer. */
interface Preferences {
  readonly theme: 'system' | 'light' | 'dark'
  readonly density: 'comfortable' | 'compact'
  /** Times on the screen: of this device, or UTC. */
  readonly zone: 'local' | 'utc'
  /** Keys of one letter (WCAG 2.1.4). */
  readonly shortcuts: boolean
  readonly live: boolean
  /** Columns that are hidden, by table. */
  readonly hiddenColumns: Readonly<Record<string, readonly string[]>>
  /** Saved views, by list: a name and the search parameters behind it. */
  readonly views: Readonly<Record<string, readonly SavedView[]>>
  /** The first-run wizard was finished or left for good. */
  readonly welcomeDone: boolean
}

interface SavedView {
  readonly name: string
  readonly search: Readonly<Record<string, unknown>>
}

const START: Preferences = {
  theme: 'system',
  density: 'comfortable',
  zone: 'local',
  shortcuts: true,
  live: true,
  hiddenColumns: {},
  views: {},
  welcomeDone: false,
}
/** `public/theme.js` reads the same entry before the first paint. */
const KEY = 'evergrant.console'

let current = read()
const listeners = new Set<() => void>()

function read(): Preferences {
  try {
    return { ...START, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>) }
  } catch {
    return START
  }
}

export const preferences = (): Preferences => current

/** Changes some, keeps the others, and tells every component and the other tabs. */
export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change }
  try {
    localStorage.setItem(KEY, JSON.stringify(current))
  } catch {
    // Kept for as long as this page lives.
  }
  apply()
}

function apply(): void {
  const { dataset } = document.documentElement
  if (current.theme === 'system') delete dataset['theme']
  else dataset['theme'] = current.theme
  if (current.density === 'compact') dataset['density'] = 'compact'
  else delete dataset['density']
  for (const listener of listeners) listener()
}

/** Hears of every change, also those of another tab. */
export function onPreferences(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Another tab changed something. */
export function followOtherTabs(): void {
  addEventListener('storage', (event) => {
    if (event.key !== KEY) return
    current = read()
    apply()
  })
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(onPreferences, preferences)
}
