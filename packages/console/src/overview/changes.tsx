import { Settings2 } from 'lucide-react'
import type { ReactNode } from 'react'
import type { AuditEvent } from '../api/console-operations.ts'
import { actorWords } from '../connections/life-words.ts'
import { Card } from '../design/card.tsx'
import { Timeline } from '../design/timeline.tsx'
import { To } from '../router/link.tsx'

/** `integration.changed` in words. */
const eventWords = (type: string): string => {
  const words = type.replaceAll(/[._]/g, ' ').replace(/^api\b/, 'API')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What people call what was changed, where its event says so. */
const nameIn = ({ name, slug }: AuditEvent['data']): string | undefined => [name, slug].find((value) => typeof value === 'string')

const SHOWN = 8

/** What people changed here: the first place to look when everything broke at once. */
export function Changes({ changes }: { readonly changes: readonly AuditEvent[] }): ReactNode {
  if (changes.length === 0) return null
  return (
    <Card title="Recent changes" note="of configuration">
      <Timeline
        label="Recent changes"
        items={changes.slice(0, SHOWN).map(({ id, type, at, actor, subject, data }) => ({
          id,
          at,
          icon: Settings2,
          title: (
            <To to="/events" search={{ q: `type:${type}` }}>
              {eventWords(type)}
            </To>
          ),
          detail: (
            <>
              by {actorWords(actor.kind)}
              {subject === null ? null : (
                <>
                  {' · '}
                  {nameIn(data) ?? <code>{subject}</code>}
                </>
              )}
            </>
          ),
        }))}
      />
    </Card>
  )
}
