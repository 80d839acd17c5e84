import { Search } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { Button } from '../../design/button.tsx'
import { classes } from '../../design/class-names.ts'
import styles from './events.module.css'
import { type Completion, completed, completionAt } from './query-words.ts'

interface QueryFieldProps {
  readonly value: string
  readonly onSearch: (query: string) => void
  /** What the server said about the query: it names the character. */
  readonly error: string | null
  /** Values that the page has seen, by field. */
  readonly known: Readonly<Record<string, readonly string[]>>
}

const NOTHING: Completion = { from: 0, to: 0, suggestions: [] }

/** One line of the query language. Suggestions follow the word at the caret (WAI-ARIA combobox); Enter searches. */
export function QueryField({ value, onSearch, error, known }: QueryFieldProps): ReactNode {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value)
  const [before, setBefore] = useState(value)
  const [completion, setCompletion] = useState(NOTHING)
  const [chosen, setChosen] = useState(-1)
  if (value !== before) {
    setBefore(value)
    setText(value)
  }
  const close = (): void => setCompletion(NOTHING)
  const offer = (query: string): void => {
    setCompletion(completionAt(query, input.current?.selectionStart ?? query.length, known))
    setChosen(-1)
  }
  const take = (at: number): void => {
    const suggestion = completion.suggestions[at]
    if (suggestion === undefined) return
    const next = completed(text, completion, suggestion)
    input.current?.focus()
    // Before the next key: whoever types on at once would find the caret moved under their hands a frame later.
    flushSync(() => {
      setText(next.query)
      setChosen(-1)
      setCompletion(completionAt(next.query, next.caret, known))
    })
    input.current?.setSelectionRange(next.caret, next.caret)
  }
  const steer = (event: KeyboardEvent): void => {
    const { length } = completion.suggestions
    if (event.key === 'ArrowDown' && length === 0) offer(text)
    else if (event.key === 'ArrowDown') setChosen((chosen + 1) % length)
    else if (event.key === 'ArrowUp' && length > 0) setChosen((chosen - 1 + length) % length)
    else if (event.key === 'Escape' && length > 0) close()
    else if ((event.key === 'Enter' || event.key === 'Tab') && chosen >= 0) take(chosen)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const open = completion.suggestions.length > 0
  return (
    <search className={styles['query']}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          close()
          onSearch(text.trim())
        }}
      >
        <label htmlFor={id} className="unseen">
          Search events
        </label>
        <Search size={16} aria-hidden />
        <input
          ref={input}
          id={id}
          data-filter
          className={styles['input']}
          value={text}
          placeholder="type:connection.* -code:provider_unavailable after:2026-11-01"
          autoComplete="off"
          spellCheck={false}
          role="combobox"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
          aria-invalid={error !== null || undefined}
          aria-describedby={error === null ? undefined : `${id}-error`}
          onFocus={() => offer(text)}
          onBlur={close}
          onKeyDown={steer}
          onChange={(event) => {
            setText(event.target.value)
            offer(event.target.value)
          }}
        />
        <Button type="submit">Search</Button>
      </form>
      {error === null ? null : (
        <p id={`${id}-error`} className={styles['wrong']} role="alert">
          {error}
        </p>
      )}
      <Suggestions id={id} completion={completion} chosen={chosen} onTake={take} />
    </search>
  )
}

interface SuggestionsProps {
  readonly id: string
  readonly completion: Completion
  readonly chosen: number
  readonly onTake: (at: number) => void
}

function Suggestions({ id, completion, chosen, onTake }: SuggestionsProps): ReactNode {
  return (
    <div id={`${id}-list`} role="listbox" aria-label="Suggestions" className={styles['suggestions']} hidden={completion.suggestions.length === 0}>
      {completion.suggestions.map(({ text, explained }, at) => (
        // The keys are those of the field, which keeps the focus.
        // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has them
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, aria-activedescendant says which one is meant
        <div
          key={text}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === chosen}
          className={classes(styles['suggestion'], at === chosen && styles['at'])}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(at)}
        >
          <code>{text}</code>
          <span>{explained}</span>
        </div>
      ))}
    </div>
  )
}
