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

/** While it is followed, new entries are read in as they come, several as one; while it is paused they are counted. */
export function useTail(read: () => void): Tail {
  const [following, setFollowing] = useState(true)
  const [fresh, setFresh] = useState(0)
  const waiting = useRef<(() => void) | undefined>(undefined)
  const latest = useRef({ following, read })
  latest.current = { following, read }
  const take = (): void => {
    setFresh(0)
    latest.current.read()
  }
  const taking = useRef(take)
  taking.current = take
  useLiveMessages(
    useCallback(({ event }: StreamMessage) => {
      if (event !== 'event') return
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
