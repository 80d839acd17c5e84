import { ChevronLeft, ChevronRight, ZoomIn, ZoomOut } from 'lucide-react'
import type { ReactNode } from 'react'
import { useApi } from '../../api/queries.ts'
import { IconButton } from '../../design/button.tsx'
import { Card, Page } from '../../design/card.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { Segments, SelectField } from '../../design/field.tsx'
import { Answered, Empty } from '../../design/states.tsx'
import { usePreferences } from '../../preferences/preferences.ts'
import { usePageSearch } from '../../router/page-search.ts'
import { useNow } from '../../time/use-now.ts'
import { absoluteWords, countWords, numberWords } from '../../time/words.ts'
import parts from '../parts/parts.module.css'
import { ExpiryLanes } from './expiry-lanes.tsx'
import { ExpiryList } from './expiry-list.tsx'
import { type Bucket, lanesOf, RANGES, type RangeName, type Span, spanOf, zoomed } from './expiry-plan.ts'

interface ExpirySearch {
  readonly range?: RangeName | undefined
  /** Milliseconds since 1970, where somebody zoomed. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly lane?: string | undefined
  readonly kind?: 'human' | 'automatic' | undefined
}

const HOUR_MS = 3_600_000

/** What ends when: a lane for each provider, and the connections behind it as a list. */
export function ExpiryPage(): ReactNode {
  const [search, change] = usePageSearch<ExpirySearch>()
  const now = useNow(HOUR_MS)
  const span = chosenSpan(search, now)
  const iso = { from: new Date(span.from).toISOString(), to: new Date(span.to).toISOString() }
  const query = useApi('GET /api/v1/expiries', { query: { ...iso, lane: 'provider' } })
  const show = (next: Span): void => change({ from: String(next.from), to: String(next.to) })
  return (
    <Page
      title="Expiry timeline"
      lead="What ends when. Red bars need a person before their time; blue ones are renewed by themselves."
      actions={<CopyAsCurl path={`/api/v1/expiries?from=${iso.from}&to=${iso.to}&lane=provider`} />}
    >
      <Card
        title={<SpanWords span={span} />}
        flush
        actions={
          <div className={parts['actions']}>
            <Zoom onZoom={(how) => show(zoomed(span, how, now))} />
            <Segments
              label="How far ahead"
              value={search.from === undefined ? (search.range ?? 'month') : ''}
              choices={RANGES.map(({ value, text }) => ({ value, text }))}
              onChange={(range) => change({ range: range as RangeName, from: undefined, to: undefined })}
            />
          </div>
        }
      >
        <Answered query={query}>
          {({ buckets }) => <Lanes buckets={buckets} span={span} onBrush={show} onPick={(lane, kind) => change({ lane, kind })} />}
        </Answered>
      </Card>
      <Behind search={search} lanes={query.data?.lanes ?? []} iso={iso} change={change} />
    </Page>
  )
}

function chosenSpan({ range = 'month', from, to }: ExpirySearch, now: number): Span {
  const [begin, end] = [Number(from), Number(to)]
  return begin > 0 && end > begin ? { from: begin, to: end } : spanOf(range, now)
}

function SpanWords({ span }: { readonly span: Span }): ReactNode {
  const { zone } = usePreferences()
  return (
    <>
      {absoluteWords(span.from, zone, false)} to {absoluteWords(span.to, zone, false)}
    </>
  )
}

/** What can be dragged can be pressed as well (WCAG 2.5.7). */
function Zoom({ onZoom }: { readonly onZoom: (how: 'in' | 'out' | 'earlier' | 'later') => void }): ReactNode {
  return (
    <>
      <IconButton small label="Earlier" onClick={() => onZoom('earlier')}>
        <ChevronLeft size={16} aria-hidden />
      </IconButton>
      <IconButton small label="Later" onClick={() => onZoom('later')}>
        <ChevronRight size={16} aria-hidden />
      </IconButton>
      <IconButton small label="Zoom in" onClick={() => onZoom('in')}>
        <ZoomIn size={16} aria-hidden />
      </IconButton>
      <IconButton small label="Zoom out" onClick={() => onZoom('out')}>
        <ZoomOut size={16} aria-hidden />
      </IconButton>
    </>
  )
}

interface LanesProps {
  readonly buckets: readonly Bucket[]
  readonly span: Span
  readonly onBrush: (span: Span) => void
  readonly onPick: (lane: string, kind: 'human' | 'automatic') => void
}

function Lanes({ buckets, span, onBrush, onPick }: LanesProps): ReactNode {
  const lanes = lanesOf(buckets, span)
  if (lanes.length === 0)
    return (
      <Empty title="Nothing ends in this time">
        <p>Zoom out to look further ahead.</p>
      </Empty>
    )
  const human = lanes.reduce((sum, lane) => sum + lane.human, 0)
  const automatic = lanes.reduce((sum, lane) => sum + lane.automatic, 0)
  const summary = `${human === 0 ? 'No connection needs' : `${countWords(human, 'connection needs', 'connections need')}`} a person in this time; ${numberWords(automatic)} are renewed by themselves.`
  return <ExpiryLanes lanes={lanes} span={span} summary={summary} onBrush={onBrush} onPick={onPick} />
}

interface BehindProps {
  readonly search: ExpirySearch
  readonly lanes: readonly string[]
  readonly iso: { readonly from: string; readonly to: string }
  readonly change: (next: Partial<ExpirySearch>) => void
}

/** The same as a list: for everybody who cannot use the picture, and for doing something about it. */
function Behind({ search, lanes, iso, change }: BehindProps): ReactNode {
  const kind = search.kind ?? 'human'
  return (
    <Card title="The connections behind it" note={kind === 'human' ? 'Soonest end first.' : 'Next renewal first.'} flush>
      <div className={parts['bar']}>
        <Segments
          label="Which connections"
          value={kind}
          choices={[
            { value: 'human', text: 'Need a person' },
            { value: 'automatic', text: 'Renewed by themselves' },
          ]}
          onChange={(value) => change({ kind: value as 'human' | 'automatic' })}
        />
        <SelectField
          label="Provider"
          quiet
          value={search.lane ?? ''}
          choices={[{ value: '', text: 'Every provider' }, ...lanes.map((lane) => ({ value: lane, text: lane }))]}
          onChange={(lane) => change({ lane: lane === '' ? undefined : lane })}
        />
      </div>
      <ExpiryList kind={kind} provider={search.lane} span={iso} onClear={() => change({ lane: undefined })} />
    </Card>
  )
}
