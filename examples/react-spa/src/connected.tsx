import { useEffect, useRef, useState } from 'react'
import type { Setting } from './setting.ts'

/** Where the provider's consent ends. The code works once, in this browser, for the person who is signed in. */
export function Connected({ setting: { evergrant, evergrantUrl } }: { readonly setting: Setting }) {
  const [problem, setProblem] = useState<string | null>(null)
  const begun = useRef(false)

  useEffect(() => {
    // React may run an effect twice while it looks for mistakes; finishing twice is harmless, and still once too many.
    if (begun.current) return
    begun.current = true
    const query = new URLSearchParams(location.search)
    const completion = { session: query.get('session'), code: query.get('code'), owner: evergrant.getState().user?.owner }
    const finish = async (): Promise<void> => {
      const response = await evergrant.fetch(`${evergrantUrl}/api/v1/connect/complete`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(completion),
      })
      if (response.ok) return location.replace('/')
      const answer: { readonly detail?: string } = await response.json()
      setProblem(answer.detail ?? 'The connection could not be finished.')
    }
    finish().catch((error: unknown) => setProblem(String(error)))
  }, [evergrant, evergrantUrl])

  return (
    <main className="welcome">
      <h1>Almost there</h1>
      {problem === null ? (
        <p className="lead">Finishing the connection ...</p>
      ) : (
        <>
          <p className="problem" role="alert">
            {problem}
          </p>
          <p>
            <a href="/">Back to your notes</a>
          </p>
        </>
      )}
    </main>
  )
}
