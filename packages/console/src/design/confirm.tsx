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

/** Asks before something happens. With `typed`, only who writes the word meant it. */
export function Confirm({ open, onClose, title, children, action, danger = false, typed, busy = false, error, onConfirm }: ConfirmProps): ReactNode {
  const [text, setText] = useState('')
  const form = useId()
  const close = (): void => {
    setText('')
    onClose()
  }
  const ready = typed === undefined || text.trim() === typed
  return (
    <Dialog
      open={open}
      onClose={close}
      title={title}
      size="small"
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
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
      {error === undefined || error === null ? null : <ProblemNote error={error} />}
    </Dialog>
  )
}
