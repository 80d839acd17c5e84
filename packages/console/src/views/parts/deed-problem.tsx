import type { ReactNode } from 'react'
import { problemOf } from '../../api/problem.ts'
import { buttonClass } from '../../design/button.tsx'
import { Note, ProblemNote } from '../../design/states.tsx'
import { serverUrl } from '../../session/client.ts'

/** Why something was not done. Where the server wants to know again who is there, the way to say it. */
export function DeedProblem({ error }: { readonly error: unknown }): ReactNode {
  if (error === null || error === undefined) return null
  if (problemOf(error).code !== 'reauthentication_required') return <ProblemNote error={error} />
  return (
    <Note
      tone="warn"
      title="Please confirm that it is you"
      action={
        <a className={buttonClass({ small: true })} href={confirmUrl()}>
          Confirm
        </a>
      }
    >
      <p>This change gives power or cannot be undone, so it needs a recent sign-in. You come back to this page.</p>
    </Note>
  )
}

function confirmUrl(): string {
  const base = serverUrl()
  const here = location.href.startsWith(base) ? location.href.slice(base.length) : '/console/'
  return `${base}/auth/confirm?return_url=${encodeURIComponent(here)}`
}
