import { KIT } from './kit.ts'
import type { Setting } from './setting.ts'

/** Loads words and looks, again and again until it has them; says so when it has not. Gives the way to stop. */
export function loadMessages(tell: (messages: Setting['messages']) => void): () => void {
  const againMs = 10_000
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false
  const load = async (): Promise<void> => {
    const messages = await import('./messages-part.tsx').then(({ messagesPart }) => messagesPart(KIT)).catch(() => null)
    if (over) return
    tell(messages)
    if (messages === null) timer = setTimeout(load, againMs)
  }
  void load()
  return () => {
    over = true
    clearTimeout(timer)
  }
}
