import { type ReactNode, useState } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Confirm } from '../../design/confirm.tsx'
import { SelectField } from '../../design/field.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'

const OVERLAPS = [
  { value: '3600', text: 'An hour' },
  { value: '86400', text: 'A day' },
  { value: '604800', text: 'A week' },
  { value: '2592000', text: '30 days' },
  { value: '0', text: 'Not at all: the old key ends now' },
]

interface RotateKeyProps {
  readonly apiKey: { readonly id: string; readonly name: string }
  readonly onClose: () => void
  readonly onMade: (key: string) => void
}

/** A successor with the same rights; the old key goes on for the overlap. */
export function RotateKey({ apiKey, onClose, onMade }: RotateKeyProps): ReactNode {
  const [overlap, setOverlap] = useState('86400')
  const rotate = useDeed('POST /api/v1/api-keys/{id}/rotate', {
    refreshes: ['GET /api/v1/api-keys'],
    onDone: ({ key }) => {
      onClose()
      onMade(key)
    },
  })
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Rotate ${apiKey.name}`}
      action="Make the successor"
      busy={rotate.isPending}
      onConfirm={() => rotate.mutate({ path: { id: apiKey.id }, body: { overlap_seconds: Number(overlap) } as never })}
    >
      <div className={parts['form']}>
        <p>The new key has the same name and rights. Put it everywhere, watch that the old one is not used any more, and it ends by itself.</p>
        <SelectField label="The old key goes on for" value={overlap} choices={OVERLAPS} onChange={setOverlap} />
        <DeedProblem error={rotate.error} />
      </div>
    </Confirm>
  )
}
