import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Name } from '../../api/operations.ts'
import { readAgainAsTold } from '../../api/queries.ts'
import { useLiveMessages } from '../../live/live-context.ts'
import type { StreamMessage } from '../../live/stream-reader.ts'
import { system } from '../../system.ts'

const GATHER_MS = 700

/** Reads these answers again shortly after the stream told of one of these kinds; many messages are one reading. The arrays must stay the same. */
export function useReadAgainOn(kinds: readonly string[], operations: readonly Name[]): void {
  const client = useQueryClient()
  const waiting = useRef<(() => void) | undefined>(undefined)
  const listener = useRef((_: StreamMessage): void => {})
  listener.current = ({ event }) => {
    if (!kinds.includes(event)) return
    waiting.current ??= system.after(GATHER_MS, () => {
      waiting.current = undefined
      readAgainAsTold(client, operations)
    })
  }
  const stable = useRef((message: StreamMessage): void => listener.current(message))
  useLiveMessages(stable.current)
  useEffect(() => () => waiting.current?.(), [])
}
