import { type ReactNode, useId, useState } from 'react'
import { Button } from './button.tsx'
import styles from './dialog.module.css'
import { Dialog } from './dialog.tsx'
import { TextField } from './field.tsx'
import { ProblemNote } from './states.tsx'

interface ConfirmProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  /** What happens, and what cannot be undone. */
  readonly children: ReactNode
  /** What the button says: the deed, not "OK". */
  readonly action: string
  readonly danger?: boolean
  /** What has to be typed before the button works. */
  readonly typed?: string
  readonly busy?: boolean
  readonly error?: unknown
  readonly onConfirm: () => void
}

/** Asks before something happens. With `typed`, only who writes the word meant it. Each question begins anew: nothing is typed, and nothing was refused. */
export function Confirm({ open, ...rest }: ConfirmProps): ReactNode {
  return open ? <Question {...rest} /> : null
}

function Question({ onClose, title, children, action, danger = false, typed, busy = false, error, onConfirm }: Omit<ConfirmProps, 'open'>): ReactNode {
  const [text, setText] = useState('')
  const [errorBefore] = useState(error)
  const form = useId()
  const ready = typed === undefined || text.trim() === typed
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      size="small"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look={danger ? 'danger' : 'primary'} disabled={!ready} busy={busy}>
            {action}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles['asked']}
        onSubmit={(event) => {
          event.preventDefault()
          if (ready && !busy) onConfirm()
        }}
      >
        {children}
        {typed === undefined ? null : <TextField label={`Type ${typed} to confirm`} value={text} onChange={setText} autoComplete="off" />}
      </form>
      {error === undefined || error === null || error === errorBefore ? null : <ProblemNote error={error} />}
    </Dialog>
  )
}
