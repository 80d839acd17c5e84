import { useCallback, useEffect, useRef, useState } from 'react'
import { useLiveMessages } from '../../live/live-context.ts'
import type { StreamMessage } from '../../live/stream-reader.ts'
import { system } from '../../system.ts'

interface Tail {
  readonly following: boolean
  readonly follow: () => void
  readonly pause: () => void
  /** What came since the list was read. */
  readonly fresh: number
  readonly take: () => void
}

const GATHER_MS = 500

/** While it is followed, new entries are read in as they come, several as one; while it is paused they are counted. With prefixes only those of such types. */
export function useTail(read: () => void, prefixes: readonly string[] = ['']): Tail {
  const [following, setFollowing] = useState(true)
  const [fresh, setFresh] = useState(0)
  const waiting = useRef<(() => void) | undefined>(undefined)
  const latest = useRef({ following, read, prefixes })
  latest.current = { following, read, prefixes }
  const take = (): void => {
    setFresh(0)
    latest.current.read()
  }
  const taking = useRef(take)
  taking.current = take
  useLiveMessages(
    useCallback(({ event, data }: StreamMessage) => {
      if (event !== 'event') return
      const { type } = JSON.parse(data) as { readonly type: string }
      if (!latest.current.prefixes.some((prefix) => type.startsWith(prefix))) return
      if (!latest.current.following) return setFresh((count) => count + 1)
      waiting.current ??= system.after(GATHER_MS, () => {
        waiting.current = undefined
        if (latest.current.following) taking.current()
      })
    }, []),
  )
  useEffect(() => () => waiting.current?.(), [])
  const follow = (): void => {
    setFollowing(true)
    take()
  }
  return { following, follow, pause: () => setFollowing(false), fresh, take }
}
