import { type RefCallback, useCallback, useState } from 'react'

/** The width of an element in pixels, as it changes: what is written in a picture is as large as everywhere else. */
export function useWidth(usual: number): readonly [RefCallback<Element>, number] {
  const [width, setWidth] = useState(usual)
  const ref = useCallback((element: Element | null) => {
    if (element === null || typeof ResizeObserver === 'undefined') return undefined
    const watch = new ResizeObserver(() => setWidth(Math.max(1, Math.round(element.getBoundingClientRect().width))))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  return [ref, width]
}
