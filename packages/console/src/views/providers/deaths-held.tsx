import { type ReactNode, useState } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { Note } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { countWords } from '../../time/words.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import type { IntegrationDetails } from './integration.ts'

interface DeathsHeldProps {
  readonly integration: IntegrationDetails
  readonly held: NonNullable<IntegrationDetails['deaths_held']>
}

/** So many grants were refused at once that the provider may be at fault: nobody is asked to reconnect until somebody, or time, decides. */
export function DeathsHeld({ integration, held }: DeathsHeldProps): ReactNode {
  const [asking, setAsking] = useState(false)
  const input = { path: { id: integration.id } }
  const refreshes = ['GET /api/v1/integrations', 'GET /api/v1/integrations/{id}', 'GET /api/v1/connections/facets', 'GET /api/v1/console/overview'] as const
  const release = useDeed('POST /api/v1/integrations/{id}/deaths/release', {
    refreshes,
    onDone: () => tell('The ends are refused; the connections are tried again.'),
  })
  const confirm = useDeed('POST /api/v1/integrations/{id}/deaths/confirm', {
    refreshes,
    onDone: () => {
      setAsking(false)
      tell('The ends are confirmed; the owners are asked to reconnect.')
    },
  })
  return (
    <Note tone="warn" title="Unusually many grants were refused at once">
      <p>
        {countWords(held.deaths, 'grant')} within ten minutes, since <Time at={held.since} />. Their ends are held: no owner was asked to reconnect. A probe
        that succeeds releases them; three that are refused, a day apart each, apply them ({held.agreements} so far).
      </p>
      {held.decision === null ? (
        <div className={parts['actions']}>
          <Button small busy={release.isPending} onClick={() => release.mutate(input)}>
            It is the provider’s mistake
          </Button>
          <Button small look="danger" onClick={() => setAsking(true)}>
            They really ended
          </Button>
        </div>
      ) : (
        <p>The decision “{held.decision}” is being carried out.</p>
      )}
      <DeedProblem error={release.error} />
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Confirm that these grants ended?"
        action={`End ${countWords(held.deaths, 'grant')}`}
        danger
        busy={confirm.isPending}
        error={confirm.error}
        onConfirm={() => confirm.mutate(input)}
      >
        <p>Every owner is asked to reconnect. Only a reconnect takes it back.</p>
      </Confirm>
    </Note>
  )
}
