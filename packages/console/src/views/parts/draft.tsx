import { type ReactNode, useState } from 'react'
import { Button } from '../../design/button.tsx'
import { Note } from '../../design/states.tsx'

interface Drafted<Source, Fields extends object> {
  /** What the form shows. */
  readonly draft: Fields
  readonly change: (part: Partial<Fields>) => void
  /** What the draft was begun from: what is not different from it was not typed. */
  readonly base: Source
  /** Somebody else changed what is edited here. */
  readonly isBehind: boolean
  /** Goes on from what is stored now; what was typed stays. */
  readonly catchUp: () => void
  /** What is stored after this form was saved. */
  readonly saved: (source: Source) => void
}

const isSame = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right)

/**
 * A form over something that changes under it: live, or by somebody else. As long as nothing is typed the form follows; then what was typed stays, and the
 * change is said.
 */
export function useDraft<Source, Fields extends object>(source: Source, fieldsOf: (source: Source) => Fields): Drafted<Source, Fields> {
  const [base, setBase] = useState(source)
  const [draft, setDraft] = useState(() => fieldsOf(source))
  // From before this form was saved: it is on its way out.
  const [old, setOld] = useState<Source | null>(null)
  const current = source === old ? base : source
  const [was, now] = [fieldsOf(base), fieldsOf(current)]
  const isBehind = !isSame(was, now) && !isSame(draft, was) && !isSame(draft, now)
  // While it is drawn, so that no letter is ever typed into a form that is about to be another.
  if (base !== current && !isBehind) {
    setBase(() => current)
    if (isSame(draft, was)) setDraft(now)
  }
  const catchUp = (): void => {
    setBase(() => current)
    setDraft(merged(draft, was, now))
  }
  const saved = (stored: Source): void => {
    setOld(() => source)
    setBase(() => stored)
    setDraft(fieldsOf(stored))
  }
  return { draft, change: (part) => setDraft({ ...draft, ...part }), base, isBehind, catchUp, saved }
}

/** What was typed, over what is stored now. */
function merged<Fields extends object>(draft: Fields, was: Fields, now: Fields): Fields {
  const typed = Object.entries(draft).filter(([name, value]) => !isSame(value, was[name as keyof Fields]))
  return { ...now, ...(Object.fromEntries(typed) as Partial<Fields>) }
}

/** Above the button that saves. */
export function Behind({ of: { isBehind, catchUp } }: { readonly of: Pick<Drafted<unknown, object>, 'isBehind' | 'catchUp'> }): ReactNode {
  if (!isBehind) return null
  return (
    <div role="status">
      <Note
        tone="warn"
        title="This was changed meanwhile"
        action={
          <Button small onClick={catchUp}>
            Show the changes
          </Button>
        }
      >
        <p>Somebody else saved something here. What you typed stays; the rest is shown as it is now.</p>
      </Note>
    </div>
  )
}
