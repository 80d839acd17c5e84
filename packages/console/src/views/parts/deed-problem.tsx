import type { ReactNode } from 'react'
import { buttonClass } from '../../design/button.tsx'
import { Note, ProblemNote } from '../../design/states.tsx'
import { confirmUrl, wantsProof } from '../../session/confirm.ts'

/** Why something was not done. Where the server wants to know again who is there, the way to say it. */
export function DeedProblem({ error }: { readonly error: unknown }): ReactNode {
  if (error === null || error === undefined) return null
  if (!wantsProof(error)) return <ProblemNote error={error} />
  return (
    <Note
      tone="warn"
      title="Please confirm that it is you"
      action={
        <a className={buttonClass({ small: true })} href={confirmUrl()} target="_blank" rel="noreferrer">
          Confirm
        </a>
      }
    >
      <p role="alert">
        This change gives power or cannot be undone, so it needs a recent sign-in. Confirm in a tab of its own, and then press the button here again.
      </p>
    </Note>
  )
}
