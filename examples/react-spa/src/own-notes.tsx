import type { Evergrant } from '@evergrant/sdk/browser'
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import { wordsFor } from './words.ts'

interface Note {
  readonly id: number
  readonly text: string
}

/** Notes of the application's own API. `evergrant.fetch` is `fetch` with the access token, and one replay after a refresh. */
export function OwnNotes({ evergrant }: { readonly evergrant: Evergrant }) {
  const [notes, setNotes] = useState<readonly Note[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)

  const call = useCallback(
    async (init?: RequestInit): Promise<boolean> => {
      try {
        const response = await evergrant.fetch('/api/notes', init)
        if (!response.ok) throw new Error(`The API answered ${response.status}`)
        const body: { readonly notes: readonly Note[] } = await response.json()
        setNotes(body.notes)
        setProblem(null)
        return true
      } catch (error) {
        setProblem(wordsFor(error))
        return false
      }
    },
    [evergrant],
  )
  useEffect(() => void call(), [call])

  function add(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    const form = event.currentTarget
    const text = new FormData(form).get('text')
    // What somebody wrote goes from the field once it is kept, and not before.
    void call({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text }) }).then((kept) => kept && form.reset())
  }

  return (
    <section className="card" aria-labelledby="own">
      <h2 id="own">Your notes</h2>
      <p className="from">From this application's own API</p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <ul className="notes">
        {notes?.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
      <form className="add" onSubmit={add}>
        <label htmlFor="text">New note</label>
        <input id="text" name="text" maxLength={200} required />
        <button type="submit" className="primary">
          Add
        </button>
      </form>
    </section>
  )
}
