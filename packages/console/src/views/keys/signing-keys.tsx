import { type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { CheckField } from '../../design/field.tsx'
import { Badge, type Tone } from '../../design/state.tsx'
import { Answered, Empty } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'

const STATES: Readonly<Record<string, { readonly text: string; readonly tone: Tone; readonly next: string }>> = {
  next: { text: 'Next', tone: 'info', next: 'signs' },
  active: { text: 'Signs', tone: 'good', next: 'signs' },
  retiring: { text: 'Still verifies', tone: 'warn', next: 'stops signing' },
  retired: { text: 'Over', tone: 'quiet', next: 'is over' },
}

/** Keys that sign access tokens. They change by schedule; by hand only when one was stolen. */
export function SigningKeys(): ReactNode {
  const query = useApi('GET /api/v1/signing-keys')
  const [asking, setAsking] = useState(false)
  const [stolen, setStolen] = useState(false)
  const rotate = useDeed('POST /api/v1/admin/signing-keys/rotate', {
    refreshes: ['GET /api/v1/signing-keys'],
    onDone: () => {
      setAsking(false)
      tell('The next key signs now.')
    },
  })
  // That a key was stolen once says nothing about the next change.
  const ask = (): void => {
    rotate.reset()
    setStolen(false)
    setAsking(true)
  }
  return (
    <Card
      title="Signing keys"
      note="Published at /.well-known/jwks.json."
      flush
      actions={
        <Button small onClick={ask}>
          Change the key now
        </Button>
      }
    >
      <Answered query={query} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No signing key yet">
              <p>The first one is made with the first session.</p>
            </Empty>
          ) : (
            <Rows
              label="Signing keys"
              items={items}
              keyOf={({ id }) => id}
              columns={[
                { name: 'Key', cell: ({ id }) => <code>{id}</code> },
                { name: 'State', cell: ({ state }) => <Badge tone={STATES[state]?.tone ?? 'quiet'}>{STATES[state]?.text ?? state}</Badge> },
                { name: 'Algorithm', cell: ({ algorithm }) => algorithm },
                { name: 'Made', cell: ({ created_at: at }) => <Time at={at} /> },
                {
                  name: 'What is next',
                  cell: ({ becomes, changes_at: at }) => (
                    <>
                      {STATES[becomes ?? '']?.next ?? becomes} <Time at={at} none="after another key" />
                    </>
                  ),
                },
              ]}
            />
          )
        }
      </Answered>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Change the signing key now?"
        action="Change the key"
        danger={stolen}
        busy={rotate.isPending}
        onConfirm={() => rotate.mutate({ body: stolen ? { stolen: true } : {} })}
      >
        <div className={parts['form']}>
          <p>Access tokens that are out stay good until their end, ten minutes at most, unless the key was stolen.</p>
          <CheckField
            label="It was stolen"
            hint="The old key is withdrawn at once; every access token is renewed at its next use."
            checked={stolen}
            onChange={setStolen}
          />
          <DeedProblem error={rotate.error} />
        </div>
      </Confirm>
    </Card>
  )
}
