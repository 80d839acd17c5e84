import { ExternalLink } from 'lucide-react'
import type { ReactNode } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { CopyBox } from '../../design/copy.tsx'
import { Note } from '../../design/states.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import type { IntegrationDetails } from './integration.ts'

/** Proves an integration with an account of whoever is here: the same flow as an end user's, from the hosted page to the first token. */
export function TryIt({ integration }: { readonly integration: IntegrationDetails }): ReactNode {
  const make = useDeed('POST /api/v1/connect/sessions')
  const { data } = make
  return (
    <div className={parts['form']}>
      {data === undefined ? (
        <div>
          <Button look="primary" busy={make.isPending} onClick={() => make.mutate({ body: { integration: integration.slug, mode: 'signed_in' } })}>
            Test with an account of yours
          </Button>
        </div>
      ) : (
        <Note tone="info" title="The flow is ready">
          <p>
            <a href={data.url} target="_blank" rel="noreferrer">
              Open the connect page <ExternalLink size={13} aria-hidden />
            </a>{' '}
            and agree there. This page shows the connection as soon as it is there.
          </p>
          <CopyBox text={data.url} label="the connect page" />
        </Note>
      )}
      <DeedProblem error={make.error} />
    </div>
  )
}
