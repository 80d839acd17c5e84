import { type ReactNode, useState } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card, Facts } from '../../design/card.tsx'
import { CopyBox } from '../../design/copy.tsx'
import { TextField } from '../../design/field.tsx'
import { Answered, Note } from '../../design/states.tsx'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Once } from '../parts/once.tsx'
import parts from '../parts/parts.module.css'
import type { IntegrationDetails } from './integration.ts'

/** Where the provider tells us of what happened there, and the secret that proves it. */
export function Push({ integration }: { readonly integration: IntegrationDetails }): ReactNode {
  const path = { id: integration.id }
  const query = useApi('GET /api/v1/integrations/{id}/push', { path })
  const [given, setGiven] = useState('')
  const [shown, setShown] = useState<{ readonly url: string; readonly secret: string | null } | null>(null)
  const set = useDeed('POST /api/v1/integrations/{id}/push-secret', {
    refreshes: ['GET /api/v1/integrations/{id}/push'],
    onDone: (answer) => {
      setGiven('')
      setShown(answer)
    },
  })
  return (
    <Card title="Pushes of the provider" note="It tells us at once when somebody takes the access back.">
      <Answered query={query} rows={3}>
        {(push) => (
          <div className={parts['form']}>
            <p>Register this address at the provider{push.url.includes('{secret}') ? '; the secret takes the place of {secret}' : ''}:</p>
            <CopyBox text={push.url} label="the push address" />
            <Facts
              rows={[
                ['Proof', push.proof === 'signature' ? 'Pushes are signed.' : 'Only the secret in the address; what they say is asked for again.'],
                ['Says', push.means.join(', ')],
                [
                  'Secret',
                  push.secret_from === null ? (
                    'none is needed, the client secret signs'
                  ) : push.secret_set_at === null ? (
                    'not set yet'
                  ) : (
                    <Time key="set" at={push.secret_set_at} as="both" />
                  ),
                ],
                push.before_until === null
                  ? null
                  : [
                      'The secret before',
                      <span key="before">
                        is taken until <Time at={push.before_until} as="both" />
                      </span>,
                    ],
              ]}
            />
            {push.secret_from === null ? null : (
              <>
                {push.secret_from === 'provider' ? (
                  <TextField label="Secret that the provider gave" type="password" autoComplete="off" value={given} onChange={setGiven} />
                ) : null}
                <DeedProblem error={set.error} />
                <div>
                  <Button
                    busy={set.isPending}
                    disabled={push.secret_from === 'provider' && given.length < 8}
                    onClick={() => set.mutate({ path, body: push.secret_from === 'provider' ? { secret: given } : {} })}
                  >
                    {push.secret_set_at === null ? 'Set the push secret' : 'Rotate the push secret'}
                  </Button>
                </div>
                <p className={parts['soft']}>After a change the secret before is taken for another day, so that the registration at the provider can follow.</p>
              </>
            )}
          </div>
        )}
      </Answered>
      <Once title="The push secret" lead="Register the complete address at the provider now." secret={shown?.secret ?? null} onClose={() => setShown(null)}>
        <CopyBox text={shown?.url ?? ''} label="the complete push address" />
      </Once>
      {shown !== null && shown.secret === null ? (
        <Note tone="good">
          <p>The secret is stored.</p>
        </Note>
      ) : null}
    </Card>
  )
}
