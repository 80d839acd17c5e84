import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react'
import { Loading, ProblemNote } from '../design/states.tsx'
import { session, signInUrl } from './client.ts'
import styles from './session-gate.module.css'

/** Finds out who is here. Nobody: the hosted page signs in, and comes back to this address. */
export function SessionGate({ children }: { readonly children: ReactNode }): ReactNode {
  const { status, user } = useSyncExternalStore(session().subscribe, session().getState)
  const [error, setError] = useState<unknown>(null)
  const [begun, setBegun] = useState<string | null>(null)
  const find = (): void => {
    setError(null)
    void session()
      .refresh({ force: true })
      .then((result) => {
        if (result.kind === 'rejected') location.replace(signInUrl(result.code))
        if (result.kind === 'transient') setError(result.error)
      })
  }
  useEffect(find, [])
  useEffect(() => session().on('signed_out', ({ code }) => location.replace(signInUrl(code))), [])
  // The tabs of a browser share a session. What this page has read is of one person in one organization, and shown to nobody in another.
  const who = user === null ? null : `${user.id} ${user.organization.id}`
  if (begun === null && who !== null) setBegun(who)
  const isAnother = begun !== null && who !== null && who !== begun
  useEffect(() => {
    if (isAnother) location.assign(document.baseURI)
  }, [isAnother])
  if (user !== null && status !== 'signed_out' && !isAnother) return children
  return (
    <main className={styles['gate']}>
      <h1 className="unseen">Evergrant</h1>
      {error === null ? <Loading rows={5} label="Signing in" /> : <ProblemNote error={error} onRetry={find} />}
    </main>
  )
}
