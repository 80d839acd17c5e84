import { Search, X } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ConnectionFilter, Facet, Facets } from '../api/console-operations.ts'
import { Button } from '../design/button.tsx'
import { SelectField } from '../design/field.tsx'
import { CONNECTION_STATES } from '../design/state.tsx'
import { useTyped } from '../design/use-typed.ts'
import { usePreferences } from '../preferences/preferences.ts'
import { absoluteWords, numberWords } from '../time/words.ts'
import { isNarrowed } from './connection-search.ts'
import styles from './connections.module.css'

const TYPING_MS = 250

interface FilterBarProps {
  readonly search: ConnectionFilter
  readonly facets: Facets | undefined
  readonly onChange: (change: Partial<ConnectionFilter>, options?: { readonly replace?: boolean }) => void
  readonly onClear: () => void
}

/** Search and facets, each with how many are behind it. Everything stands in the address. */
export function FilterBar({ search, facets, onChange, onClear }: FilterBarProps): ReactNode {
  const { status, provider, integration, code, owner, tag } = search
  const { zone } = usePreferences()
  const at = (time: string | undefined): string | undefined => (time === undefined ? undefined : absoluteWords(time, zone, false))
  const also = [
    ['owner', owner],
    ['tag', tag],
    ['expires_before', at(search.expires_before)],
    ['expires_after', at(search.expires_after)],
  ] as const
  return (
    <div className={styles['filters']}>
      <SearchField value={search.q ?? ''} onChange={(q) => onChange({ q: q === '' ? undefined : q }, { replace: true })} />
      <FacetSelect
        label="State"
        value={status}
        facets={facets?.status}
        words={(value) => CONNECTION_STATES[value]?.text ?? value}
        onChange={(value) => onChange({ status: value })}
      />
      <FacetSelect label="Provider" value={provider} facets={facets?.provider} onChange={(value) => onChange({ provider: value })} />
      <FacetSelect label="Integration" value={integration} facets={facets?.integration} onChange={(value) => onChange({ integration: value })} />
      <FacetSelect
        label="Reason"
        value={code}
        facets={facets?.code}
        words={(value) => value.replaceAll('_', ' ')}
        onChange={(value) => onChange({ code: value })}
      />
      {also.map(([name, value]) =>
        value === undefined ? null : (
          <Button key={name} small icon={<X size={13} aria-hidden />} onClick={() => onChange({ [name]: undefined })}>
            {name.replace('_', ' ')}: {value}
          </Button>
        ),
      )}
      {isNarrowed(search) ? (
        <Button look="quiet" small onClick={onClear}>
          Clear filters
        </Button>
      ) : null}
    </div>
  )
}

interface FacetSelectProps {
  readonly label: string
  readonly value: string | undefined
  readonly facets: readonly Facet[] | undefined
  readonly words?: (value: string) => string
  readonly onChange: (value: string | undefined) => void
}

function FacetSelect({ label, value, facets = [], words, onChange }: FacetSelectProps): ReactNode {
  const choices = choicesOf(facets, value, words)
  return (
    <div className={styles['facet']}>
      <SelectField
        label={label}
        quiet
        value={value ?? ''}
        choices={[{ value: '', text: `${label}: all` }, ...choices]}
        onChange={(next) => onChange(next === '' ? undefined : next)}
      />
    </div>
  )
}

/** The facets, and what is chosen where it is none of them: one that nothing has, or several with commas between them. */
export function choicesOf(facets: readonly Facet[], value: string | undefined, words?: (value: string) => string): readonly { value: string; text: string }[] {
  const said = ({ value: own, name }: Pick<Facet, 'value' | 'name'>): string => (words === undefined ? (name ?? own) : words(own))
  const choices = facets.map((facet) => ({ value: facet.value, text: `${said(facet)} (${numberWords(facet.count)})` }))
  if (value === undefined || facets.some((facet) => facet.value === value)) return choices
  const several = value.split(',').map((one) => facets.find((facet) => facet.value === one) ?? { value: one, count: 0 })
  const count = several.reduce((sum, facet) => sum + facet.count, 0)
  return [{ value, text: `${several.map(said).join(', ')} (${numberWords(count)})` }, ...choices]
}

/** Asks the server once the typing rests. */
function SearchField({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }): ReactNode {
  const [text, setText] = useTyped(value, (typed) => onChange(typed.trim()), TYPING_MS)
  return (
    <label className={styles['search']}>
      <Search size={15} aria-hidden />
      <span className="unseen">Search connections</span>
      <input
        type="search"
        data-filter
        value={text}
        placeholder="Account, owner, tag, or an id"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
      <kbd aria-hidden>/</kbd>
    </label>
  )
}
