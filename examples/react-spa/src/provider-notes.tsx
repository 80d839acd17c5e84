import type { ConnectionReport } from '@evergrant/sdk/browser'
import { ConnectionBadge, ReconnectButton, useConnections } from '@evergrant/sdk/react'
import { useCallback, useEffect, useState } from 'react'
import type { Setting } from './setting.ts'
import { wordsFor } from './words.ts'

interface Note {
  readonly id: number
  readonly text: string
}

/** Notes at somebody else's API, through a connection. The provider's tokens never come to this page. */
export function ProviderNotes({ setting }: { readonly setting: Setting }) {
  const connections = useConnections()
  const connection = connections?.find(({ integration, status }) => integration === setting.integration && status !== 'disconnected')
  return (
    <section className="card" aria-labelledby="practice">
      <h2 id="practice">Practice notebook</h2>
      <p className="from">From another service, through a connection</p>
      {connections !== null && connection === undefined && <Connect setting={setting} />}
      {connection !== undefined && <Notebook setting={setting} connection={connection} />}
    </section>
  )
}

function Connect({ setting: { evergrant, evergrantUrl, integration } }: { readonly setting: Setting }) {
  const [problem, setProblem] = useState<string | null>(null)

  async function connect(): Promise<void> {
    setProblem(null)
    const response = await evergrant.fetch(`${evergrantUrl}/api/v1/connect/sessions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      // The owner is whoever is signed in; at the end of the provider's page Evergrant looks whether it is still the same person.
      body: JSON.stringify({ integration, return_url: `${location.origin}/` }),
    })
    const answer: { readonly url?: string; readonly detail?: string } = await response.json()
    if (answer.url === undefined) setProblem(answer.detail ?? 'The connection could not be started.')
    else location.assign(answer.url)
  }

  return (
    <>
      <p>Nothing is connected yet. You will be asked once.</p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="button" className="primary" onClick={() => connect().catch((error: unknown) => setProblem(wordsFor(error)))}>
        Connect your notebook
      </button>
    </>
  )
}

function Notebook({ setting: { evergrant, evergrantUrl }, connection }: { readonly setting: Setting; readonly connection: ConnectionReport }) {
  const [notes, setNotes] = useState<readonly Note[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const { id, status } = connection

  const read = useCallback(async (): Promise<void> => {
    try {
      // The proxy adds the provider's token, and renews it when it must.
      const response = await evergrant.fetch(`${evergrantUrl}/api/v1/proxy/${id}/api/notes`)
      if (response.ok) {
        const body: { readonly notes: readonly Note[] } = await response.json()
        setNotes(body.notes)
      } else {
        // Whatever is wrong, the server says it in words for people: the badge and the banner show them.
        await evergrant.connections.get(id)
      }
      setProblem(null)
    } catch (error) {
      // What was read before stays on the page.
      setProblem(wordsFor(error))
    }
  }, [evergrant, evergrantUrl, id])

  useEffect(() => {
    if (status === 'valid') void read()
  }, [read, status])

  return (
    <>
      <p className="state">
        <ConnectionBadge connectionId={id} />
        <span className="account">{connection.account}</span>
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <ul className="notes">
        {notes?.map((note) => (
          <li key={note.id}>{note.text}</li>
        ))}
      </ul>
      <p className="actions">
        <button type="button" onClick={() => void read()}>
          Read again
        </button>
        {status === 'needs_reauth' && <ReconnectButton connectionId={id} />}
      </p>
    </>
  )
}
