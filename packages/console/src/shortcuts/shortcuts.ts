import { useEffect, useRef, useSyncExternalStore } from 'react'
import { preferences } from '../preferences/preferences.ts'
import { system } from '../system.ts'

interface Shortcut {
  /** What is pressed: `j`, `Shift+?`, `g c` one after the other, `Mod+k` (Ctrl, or Cmd on a Mac). */
  readonly keys: string
  readonly text: string
  readonly group: string
  readonly run: () => void
}

const SEQUENCE_MS = 1_200
const known = new Set<Shortcut>()
const listeners = new Set<() => void>()
let snapshot: readonly Shortcut[] = []
let pending = ''
let forget: (() => void) | undefined

function changed(): void {
  snapshot = [...known]
  for (const listener of listeners) listener()
}

/** Somebody types here: letters are letters. */
function isTyping(target: EventTarget | null): boolean {
  const element = target instanceof HTMLElement ? target : null
  return element?.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]') !== null && element !== null
}

const inDialog = (): boolean => document.querySelector('dialog[open]') !== null

/** `Mod+k`, `Shift+?`, `j`. Shift is named only where it is not part of the sign itself. */
function nameOf(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey ? 'Mod+' : ''
  const shift = event.shiftKey && (event.key.length > 1 || event.key === '?') ? 'Shift+' : ''
  return mod + shift + (event.key.length === 1 ? event.key.toLowerCase() : event.key)
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return
  const name = nameOf(event)
  const withModifier = name.startsWith('Mod+')
  if (!withModifier && (!preferences().shortcuts || isTyping(event.target) || inDialog())) return
  const sequence = pending === '' ? name : `${pending} ${name}`
  const list = [...known].reverse()
  const found = list.find(({ keys }) => keys === sequence) ?? list.find(({ keys }) => keys === name)
  forget?.()
  pending = ''
  if (found !== undefined) {
    event.preventDefault()
    found.run()
  } else if (!withModifier && list.some(({ keys }) => keys.startsWith(`${name} `))) {
    pending = name
    forget = system.after(SEQUENCE_MS, () => {
      pending = ''
    })
  }
}

/** From now on keys are heard. Returns what ends it. */
export function listenForShortcuts(): () => void {
  addEventListener('keydown', onKeyDown)
  return () => removeEventListener('keydown', onKeyDown)
}

/** Keys that work while this component is on the screen. The last one that names the same keys wins. */
export function useShortcuts(group: string, shortcuts: readonly Omit<Shortcut, 'group'>[]): void {
  const latest = useRef(shortcuts)
  latest.current = shortcuts
  const names = shortcuts.map(({ keys, text }) => `${keys}\u0000${text}`).join('\u0001')
  useEffect(() => {
    const mine = names.split('\u0001').map((name, at) => {
      const [keys = '', text = ''] = name.split('\u0000')
      return { keys, text, group, run: () => latest.current[at]?.run() }
    })
    for (const one of mine) known.add(one)
    changed()
    return () => {
      for (const one of mine) known.delete(one)
      changed()
    }
  }, [group, names])
}

/** What can be pressed now, for the sheet. */
export function useKnownShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => snapshot,
  )
}
