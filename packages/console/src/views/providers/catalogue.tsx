import type { ReactNode } from 'react'
import { useApi } from '../../api/queries.ts'
import { Card, Page } from '../../design/card.tsx'
import { TextField } from '../../design/field.tsx'
import { Badge } from '../../design/state.tsx'
import { Answered, NoResults } from '../../design/states.tsx'
import { useTyped } from '../../design/use-typed.ts'
import { To } from '../../router/link.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { countWords } from '../../time/words.ts'
import parts from '../parts/parts.module.css'
import { grantWords, type ProviderSummary, reuseWords } from './provider-words.ts'
import styles from './providers.module.css'
import { SetUp } from './set-up.tsx'

const TYPING_MS = 250

/** A date that is over stays in the catalogue until somebody knows what came of it. */
const sunsetWords = (days: number): string => (days > 0 ? `Something ends in ${countWords(days, 'day')}` : 'Something has ended')

interface NewProviderSearch {
  readonly provider?: string | undefined
  readonly find?: string | undefined
}

/** First the catalogue, then the guided set-up of the one that was chosen. */
export function NewProviderPage(): ReactNode {
  const [{ provider }] = usePageSearch<NewProviderSearch>()
  return provider === undefined ? <Catalogue /> : <SetUp id={provider} />
}

function Catalogue(): ReactNode {
  const [{ find = '' }, change] = usePageSearch<NewProviderSearch>()
  const query = useApi('GET /api/v1/providers')
  const [text, search] = useTyped(find, (typed) => change({ find: typed === '' ? undefined : typed }, { replace: true }), TYPING_MS)
  return (
    <Page
      title="Add a provider"
      lead="The catalogue knows addresses, lifetimes and quirks of each. One that is missing is added as a data file, or as the generic OAuth or OpenID provider."
    >
      <Card title="Catalogue" flush note={query.data === undefined ? undefined : countWords(query.data.items.length, 'provider')}>
        <div className={parts['bar']}>
          <div className={parts['grow']}>
            <TextField label="Find a provider" quiet placeholder="Find a provider by its name" type="search" data-filter value={text} onChange={search} />
          </div>
        </div>
        <Answered query={query} rows={8}>
          {({ items }) => <Choices providers={found(items, text)} onClear={() => search('')} />}
        </Answered>
      </Card>
    </Page>
  )
}

/** By name or id; those whose name begins so come first. */
export function found(providers: readonly ProviderSummary[], text: string): readonly ProviderSummary[] {
  const wanted = text.trim().toLowerCase()
  const rank = ({ name, id }: ProviderSummary): number => (name.toLowerCase().startsWith(wanted) || id.startsWith(wanted) ? 0 : 1)
  return providers
    .filter(({ name, id }) => name.toLowerCase().includes(wanted) || id.includes(wanted))
    .toSorted((left, right) => rank(left) - rank(right) || left.name.localeCompare(right.name))
}

function Choices({ providers, onClear }: { readonly providers: readonly ProviderSummary[]; readonly onClear: () => void }): ReactNode {
  if (providers.length === 0) return <NoResults onClear={onClear} />
  return (
    <ul className={styles['catalogue']}>
      {providers.map((provider) => (
        <li key={provider.id}>
          <To to="/providers/new" search={{ provider: provider.id }} className={styles['choice'] ?? ''} title={reuseWords(provider.reuse)}>
            <strong>{provider.name}</strong>
            <span className={styles['grant']}>{grantWords(provider.grant)}</span>
            {provider.sunsets.length === 0 ? null : <Badge tone="warn">{sunsetWords(provider.sunsets[0]?.days_left ?? 0)}</Badge>}
          </To>
        </li>
      ))}
    </ul>
  )
}
