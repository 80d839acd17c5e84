import { useEffect } from 'react'

/**
 * Whatever had the focus when this opened gets it again when this is gone: a `<dialog>` that leaves the page takes the focus with it. Use it before what
 * moves the focus.
 */
export function useFocusGivenBack(): void {
  useEffect(() => {
    const before = document.activeElement
    return () => {
      // Somebody else has it already: the browser gave it back after Esc, or another page began.
      if (document.activeElement !== null && document.activeElement !== document.body) return
      const target = before instanceof HTMLElement && before.isConnected && before !== document.body ? before : document.querySelector<HTMLElement>('main')
      target?.focus({ preventScroll: true })
    }
  }, [])
}
