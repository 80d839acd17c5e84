import { useEffect, useRef, useState } from 'react'
import { system } from '../system.ts'

/**
 * A text that is typed here and kept elsewhere, as in the address: told once the typing rests. What comes back as the answer to that is no reason to change
 * what was typed on meanwhile, a blank at its end included; what somebody else put there is.
 */
export function useTyped(kept: string, tell: (text: string) => void, restMs: number): [text: string, type: (text: string) => void] {
  const [text, setText] = useState(kept)
  const told = useRef(kept)
  const latest = useRef(tell)
  latest.current = tell
  const waiting = useRef<(() => void) | undefined>(undefined)
  useEffect(() => {
    if (told.current.trim() === kept.trim()) return
    waiting.current?.()
    told.current = kept
    setText(kept)
  }, [kept])
  useEffect(() => () => waiting.current?.(), [])
  const type = (next: string): void => {
    setText(next)
    waiting.current?.()
    waiting.current = system.after(restMs, () => {
      told.current = next
      latest.current(next)
    })
  }
  return [text, type]
}
