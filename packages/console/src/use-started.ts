import { useEffect } from 'react'

/** Starts once this component is on the screen, and ends with it. */
export function useStarted(start: () => () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: once a life
  useEffect(start, [])
}
