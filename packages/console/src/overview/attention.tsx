import { CircleCheck, Link2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { Cause } from '../api/console-operations.ts'
import { useDeed } from '../api/queries.ts'
import { searchOf } from '../connections/connection-search.ts'
import { linksOf } from '../connections/reconnect-links.ts'
import { Button } from '../design/button.tsx'
import { Card } from '../design/card.tsx'
import { CopyBox, copyText } from '../design/copy.tsx'
import { Dialog } from '../design/dialog.tsx'
import { Empty } from '../design/states.tsx'
import { tell, tellProblem } from '../design/toasts.tsx'
import { To } from '../router/link.tsx'
import { Time } from '../time/time.tsx'
import { countWords } from '../time/words.ts'
import { NothingYet } from './nothing-yet.tsx'
import styles from './overview.module.css'

/** What is broken, by cause: one line for what one deed mends. */
export function Attention({ causes, total }: { readonly causes: readonly Cause[]; readonly total: number }): ReactNode {
  return (
    <Card title="Needs attention" note={causes.length === 0 ? undefined : 'by cause, largest first'} flush>
      {total === 0 ? <NothingYet /> : null}
      {total > 0 && causes.length === 0 ? (
        <Empty title="Nothing needs anybody" icon={CircleCheck}>
          <p>Every grant is alive. What breaks appears here at once, with its cause and its remedy.</p>
        </Empty>
      ) : null}
      <ul className={styles['causes']}>
        {causes.map((cause) => (
          <OneCause key={`${cause.cause} ${cause.integration} ${cause.code}`} cause={cause} />
        ))}
      </ul>
    </Card>
  )
}

function OneCause({ cause }: { readonly cause: Cause }): ReactNode {
  const { title, operator_text: text, connections, since, filter, integration, link_repairs: linkRepairs } = cause
  const search = searchOf(filter)
  return (
    <li className={styles['cause']}>
      <div>
        <p className={styles['title']}>
          <To to="/connections" search={search}>
            {title}
          </To>
        </p>
        <p className={styles['soft']}>{text}</p>
        {search.status === 'needs_reauth' && !linkRepairs ? (
          <p className={styles['soft']}>There is no link for these: each says on its page how it is reconnected.</p>
        ) : null}
        <p className={styles['small']}>
          <To to="/connections" search={search}>
            {countWords(connections, 'connection')}
          </To>
          {' · '}
          {integration}
          {since === null ? null : (
            <>
              {' · since '}
              <Time at={since} />
            </>
          )}
        </p>
      </div>
      {search.status === 'needs_reauth' && linkRepairs ? <CopyLinks search={search} /> : null}
    </li>
  )
}

/** A link for each owner, ready to be sent. Where the browser copies nothing, they are shown. */
function CopyLinks({ search }: { readonly search: object }): ReactNode {
  const [shown, setShown] = useState<string | null>(null)
  const { mutate, isPending } = useDeed('POST /api/v1/connections/bulk', {
    onDone: (answer) => {
      const { text, said } = linksOf(answer)
      if (text === '') return tell(said)
      void copyText(text).then((done) => (done ? tell(said) : setShown(text)))
    },
  })
  return (
    <>
      <Button
        small
        icon={<Link2 size={14} aria-hidden />}
        busy={isPending}
        onClick={() => mutate({ body: { action: 'reconnect_links', filter: search } }, { onError: tellProblem })}
      >
        Copy reconnect links
      </Button>
      <Dialog open={shown !== null} onClose={() => setShown(null)} title="Reconnect links" lead="The browser did not copy them by itself.">
        <CopyBox text={shown ?? ''} label="the reconnect links" />
      </Dialog>
    </>
  )
}
