import { type ReactNode, useState } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Confirm } from '../../design/confirm.tsx'
import { CheckField, SelectField } from '../../design/field.tsx'
import { tell } from '../../design/toasts.tsx'
import { system } from '../../system.ts'
import { countWords } from '../../time/words.ts'
import type { WebhookRecord } from '../operate-operations.ts'
import parts from '../parts/parts.module.css'

const HOUR_MS = 3_600_000
const SPANS = [
  { value: '1', text: 'The last hour' },
  { value: '6', text: 'The last six hours' },
  { value: '24', text: 'The last day' },
  { value: '168', text: 'The last week' },
]

/** Sends again what was made since then, under the same ids, so that a receiver that looks at them takes nothing twice. */
export function ReplaySince({ webhook, onClose }: { readonly webhook: WebhookRecord; readonly onClose: () => void }): ReactNode {
  const [hours, setHours] = useState('24')
  const [failed, setFailed] = useState(true)
  const replay = useDeed('POST /api/v1/webhooks/{id}/replay', {
    refreshes: ['GET /api/v1/webhooks/{id}/deliveries'],
    onDone: ({ deliveries }) => {
      onClose()
      tell(deliveries === 0 ? 'Nothing of that time is to be sent again.' : `${countWords(deliveries, 'delivery is', 'deliveries are')} sent again.`)
    },
  })
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Replay to ${webhook.name}`}
      action="Send again"
      busy={replay.isPending}
      error={replay.error}
      onConfirm={() =>
        replay.mutate({ path: { id: webhook.id }, body: { since: new Date(system.now() - Number(hours) * HOUR_MS).toISOString(), failed_only: failed } })
      }
    >
      <div className={parts['form']}>
        <SelectField label="From" value={hours} choices={SPANS} onChange={setHours} />
        <CheckField label="Only what was not taken" checked={failed} onChange={setFailed} />
      </div>
    </Confirm>
  )
}
