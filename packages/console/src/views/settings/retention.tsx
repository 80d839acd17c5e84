import type { ReactNode } from 'react'
import { Card } from '../../design/card.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'

const KEPT = [
  { what: 'Tokens of a connection that ended', kept: '30 days after its end', by: 'fixed: nothing is deleted while it could still be needed' },
  { what: 'Answers of providers that were applied', kept: '72 hours; then a hash and the facts', by: 'fixed' },
  { what: 'Answers that could not be applied', kept: 'until somebody decides', by: 'fixed' },
  { what: 'Events', kept: 'for good', by: 'fixed; they are exported on the page of events' },
  { what: 'Deliveries of webhooks that are finished', kept: '30 days', by: 'fixed' },
  { what: 'Hourly figures behind the plots', kept: '30 days, unless the server is told otherwise', by: 'the setting EVERGRANT_HISTORY_DAYS of the server' },
  { what: 'Data of an owner who asks for it', kept: 'until it is erased, which is done at once', by: 'your application, with DELETE /api/v1/owners/{owner}' },
] as const

/** What is kept how long, and who says so. */
export function Retention(): ReactNode {
  return (
    <Card title="What is kept" note="The same for every organization of this server." flush>
      <Rows
        label="What is kept how long"
        items={KEPT}
        keyOf={({ what }) => what}
        columns={[
          { name: 'What', cell: ({ what }) => what },
          { name: 'How long', cell: ({ kept }) => kept },
          { name: 'Set by', cell: ({ by }) => <span className={parts['soft']}>{by}</span> },
        ]}
      />
    </Card>
  )
}
