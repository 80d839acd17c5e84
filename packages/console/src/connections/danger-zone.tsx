import type { Connection } from '@evergrant/sdk/wire'
import { type ReactNode, useState } from 'react'
import { useDeed } from '../api/queries.ts'
import { Button } from '../design/button.tsx'
import { Card } from '../design/card.tsx'
import { Confirm } from '../design/confirm.tsx'
import { tell } from '../design/toasts.tsx'
import { CONNECTION_READS } from './connection-reads.ts'
import { nameOf } from './connection-words.ts'
import styles from './connections.module.css'

/** What cannot be taken back. */
export function DangerZone({ connection }: { readonly connection: Connection }): ReactNode {
  const [asked, setAsked] = useState(false)
  const { id, status } = connection
  const { mutate, isPending, error } = useDeed('POST /api/v1/connections/{id}/disconnect', {
    refreshes: CONNECTION_READS,
    onDone: () => {
      setAsked(false)
      tell('Disconnected')
    },
  })
  return (
    <Card title="Danger">
      <div className={styles['danger']}>
        <div>
          <h3>Disconnect</h3>
          <p className={styles['small']}>
            Ends it here, and at the provider unless another connection lives on the same grant. Sealed data is purged after 30 days. Its owner can connect
            again, into the same connection.
          </p>
        </div>
        <Button look="danger" disabled={status === 'disconnected'} onClick={() => setAsked(true)}>
          Disconnect
        </Button>
      </div>
      <Confirm
        open={asked}
        onClose={() => setAsked(false)}
        title={`Disconnect ${nameOf(connection)}?`}
        action="Disconnect"
        danger
        typed={id.slice(-6)}
        busy={isPending}
        error={error}
        onConfirm={() => mutate({ path: { id } })}
      >
        <p>Every program that uses it is refused from now on. To confirm, type the last six characters of its id.</p>
      </Confirm>
    </Card>
  )
}
