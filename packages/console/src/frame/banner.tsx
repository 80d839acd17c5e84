import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useSyncExternalStore } from 'react'
import { Button } from '../design/button.tsx'
import { Note } from '../design/states.tsx'
import { useLive } from '../live/live-context.ts'
import { session } from '../session/client.ts'
import { Time } from '../time/time.tsx'
import { useNow } from '../time/use-now.ts'
import styles from './banner.module.css'

const STALE_MS = 30_000

/** Says when what is on the screen may be old, and why; nothing otherwise. */
export function Banner(): ReactNode {
  const { status, heardAt } = useLive()
  const client = useQueryClient()
  const now = useNow(5_000)
  const { status: signedIn } = useSyncExternalStore(session().subscribe, session().getState)
  if (status === 'paused' || status === 'hidden' || Math.abs(now - heardAt) < STALE_MS) return null
  const why = signedIn === 'offline' || !navigator.onLine ? 'This device is offline.' : 'The server has not been heard.'
  return (
    <div className={styles['banner']} role="status">
      <Note
        tone="warn"
        title="What you see may be out of date"
        action={
          <Button small onClick={() => void client.refetchQueries({ type: 'active' })}>
            Read again
          </Button>
        }
      >
        <p>
          {why} Last heard <Time at={heardAt} />; it is tried again by itself.
        </p>
      </Note>
    </div>
  )
}
