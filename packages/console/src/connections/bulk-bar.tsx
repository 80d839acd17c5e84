import { useQueryClient } from '@tanstack/react-query'
import { CirclePause, CirclePlay, Link2, RefreshCw, Tag, Unplug, X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { call } from '../api/call.ts'
import type { BulkAction, BulkResult, ConnectionFilter } from '../api/console-operations.ts'
import { readAgain } from '../api/queries.ts'
import { Button } from '../design/button.tsx'
import { Confirm } from '../design/confirm.tsx'
import { CopyBox, copyText } from '../design/copy.tsx'
import { Dialog } from '../design/dialog.tsx'
import { CheckField, TextField } from '../design/field.tsx'
import { Loading } from '../design/states.tsx'
import { tell, tellProblem } from '../design/toasts.tsx'
import { countWords, numberWords } from '../time/words.ts'
import styles from './connections.module.css'
import { linksOf } from './reconnect-links.ts'

const READ = ['GET /api/v1/connections', 'GET /api/v1/connections/facets', 'GET /api/v1/console/overview'] as const

interface BulkBarProps {
  readonly selected: ReadonlySet<string>
  readonly filter: ConnectionFilter
  /** How many the filter has. */
  readonly total: number | undefined
  readonly onDone: () => void
}

const DEEDS = {
  refresh: { text: 'Refresh', done: 'Refreshing', icon: RefreshCw },
  pause: { text: 'Pause', done: 'Paused', icon: CirclePause },
  resume: { text: 'Resume', done: 'Resumed', icon: CirclePlay },
  tag: { text: 'Tag', done: 'Tagged', icon: Tag },
  untag: { text: 'Take a tag away', done: 'Untagged', icon: X },
  reconnect_links: { text: 'Reconnect links', done: 'Copied', icon: Link2 },
  disconnect: { text: 'Disconnect', done: 'Disconnected', icon: Unplug },
} as const satisfies Record<BulkAction, object>

/** What can be done with those that are chosen, or with all that the filter finds. Each shows first what it would do. */
export function BulkBar({ selected, filter, total, onDone }: BulkBarProps): ReactNode {
  const [whole, setWhole] = useState(false)
  const [asked, setAsked] = useState<Pick<AskedProps, 'action' | 'target'> | null>(null)
  const many = total !== undefined && total > selected.size
  return (
    <section className={styles['bulk']} aria-label="With the chosen connections">
      <p role="status">
        <strong>{whole ? `All ${numberWords(total ?? 0)} that match` : `${numberWords(selected.size)} selected`}</strong>
      </p>
      {many ? <CheckField label={`all ${numberWords(total)} that match the filter`} checked={whole} onChange={setWhole} /> : null}
      <div className={styles['deeds']}>
        {(Object.keys(DEEDS) as BulkAction[]).map((action) => {
          const { text, icon: Icon } = DEEDS[action]
          return (
            <Button
              key={action}
              small
              look={action === 'disconnect' ? 'danger' : 'plain'}
              icon={<Icon size={13} aria-hidden />}
              disabled={!whole && selected.size === 0}
              onClick={() => setAsked({ action, target: whole ? { filter } : { ids: [...selected] } })}
            >
              {text}
            </Button>
          )
        })}
        <Button small look="quiet" onClick={onDone}>
          Choose none
        </Button>
      </div>
      {/* What was counted is what is done, whatever the list shows by then. */}
      {asked === null ? null : <Asked {...asked} onClose={() => setAsked(null)} onDone={onDone} />}
    </section>
  )
}

interface AskedProps {
  readonly action: BulkAction
  readonly target: { readonly ids: readonly string[] } | { readonly filter: ConnectionFilter }
  readonly onClose: () => void
  readonly onDone: () => void
}

function Asked({ action, target, onClose, onDone }: AskedProps): ReactNode {
  const client = useQueryClient()
  const [tag, setTag] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [links, setLinks] = useState<string | null>(null)
  const plan = useDryRun(action, target)
  const needsTag = action === 'tag' || action === 'untag'
  const run = async (): Promise<void> => {
    setBusy(true)
    try {
      const more = { ...(needsTag ? { tag: tag.trim() } : {}), ...(action === 'disconnect' ? { confirm: String(plan.data?.count ?? 0) } : {}) }
      const result = await call('POST /api/v1/connections/bulk', { body: { action, ...target, ...more } })
      if (action === 'reconnect_links') {
        const { text, said } = linksOf(result)
        if (text !== '' && !(await copyText(text))) return setLinks(text)
        tell(said)
      } else {
        report(action, result, () => readAgain(client, READ))
        readAgain(client, READ)
      }
      onClose()
      onDone()
    } catch (thrown) {
      // Refused, or done and its answer lost.
      readAgain(client, READ)
      setError(thrown)
    } finally {
      setBusy(false)
    }
  }
  const count = plan.data?.count
  if (links !== null)
    return (
      <Dialog open onClose={onClose} title={DEEDS[action].text} lead="The browser did not copy them by itself.">
        <CopyBox text={links} label="the reconnect links" />
      </Dialog>
    )
  return (
    <Confirm
      open
      onClose={onClose}
      title={DEEDS[action].text}
      action={count === undefined ? DEEDS[action].text : `${DEEDS[action].text}: ${numberWords(count)}`}
      danger={action === 'disconnect'}
      {...(action === 'disconnect' && count !== undefined ? { typed: String(count) } : {})}
      busy={busy || (plan.data === undefined && plan.error === null)}
      error={error ?? plan.error}
      onConfirm={() => void run()}
    >
      {plan.data === undefined ? plan.error === null ? <Loading rows={2} label="Counting" /> : null : <Plan action={action} plan={plan.data} />}
      {needsTag ? <TextField label="Tag" value={tag} onChange={setTag} required maxLength={64} /> : null}
    </Confirm>
  )
}

/** What it would do, asked of the server before anything happens. */
function useDryRun(action: BulkAction, target: AskedProps['target']): { readonly data: BulkResult | undefined; readonly error: unknown } {
  const [state, setState] = useState<{ data?: BulkResult; error?: unknown; asked?: boolean }>({})
  if (state.asked !== true) {
    state.asked = true
    const more = action === 'tag' || action === 'untag' ? { tag: 'a-tag' } : {}
    call('POST /api/v1/connections/bulk', { body: { action, ...target, ...more, dry_run: true } }).then(
      (data) => setState({ data, asked: true }),
      (error: unknown) => setState({ error, asked: true }),
    )
  }
  return { data: state.data, error: state.error ?? null }
}

const EFFECTS: Readonly<Record<BulkAction, string>> = {
  refresh: 'Each gets a new access token now, as fast as its provider allows.',
  pause: 'Nothing of theirs is refreshed until somebody resumes them. This can be undone.',
  resume: 'They are refreshed again as they fall due. This can be undone.',
  tag: 'The tag is added. This can be undone.',
  untag: 'The tag is taken away. This can be undone.',
  reconnect_links: 'A link for each owner whose grant is over, which works for 7 days and is used up by a success. Where a provider allows none, it is said.',
  disconnect: 'They end here, and at the provider where no other connection lives on the same grant. This cannot be undone; an owner can connect again.',
}

function Plan({ action, plan }: { readonly action: BulkAction; readonly plan: BulkResult }): ReactNode {
  return (
    <div className={styles['plan']}>
      <p>
        <strong>{countWords(plan.count, 'connection')}</strong> {plan.count === 1 ? 'is' : 'are'} meant. {EFFECTS[action]}
      </p>
      <ul>
        {plan.sample.slice(0, 5).map(({ id }) => (
          <li key={id}>
            <code>{id}</code>
          </li>
        ))}
      </ul>
      {plan.count > 5 ? <p>and {numberWords(plan.count - 5)} more</p> : null}
    </div>
  )
}

function report(action: BulkAction, { count, bulk_id: id, undo_until: until, results }: BulkResult, again: () => void): void {
  const refused = refusedOf(results)
  const text = `${DEEDS[action].done}: ${countWords(count - refused.length, 'connection')}${refusedWords(refused)}`
  if (id === null || until === null) return tell(text)
  const undo = async (): Promise<void> => {
    const undone = await call('POST /api/v1/connections/bulk/{id}/undo', { path: { id } })
    tell(`Undone${refusedWords(refusedOf(undone.results))}`)
    again()
  }
  tell(text, { text: 'Undo', run: () => void undo().catch(tellProblem) })
}

type Results = BulkResult['results']
const refusedOf = (results: Results): Results => results.filter(({ outcome }) => outcome === 'refused')
const refusedWords = (refused: Results): string =>
  refused.length === 0 ? '' : `. ${numberWords(refused.length)} refused: ${refused[0]?.detail ?? 'no reason was given'}`
