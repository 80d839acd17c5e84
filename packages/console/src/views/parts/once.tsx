import type { ReactNode } from 'react'
import { Button } from '../../design/button.tsx'
import { CopyBox } from '../../design/copy.tsx'
import { Dialog } from '../../design/dialog.tsx'
import { Note } from '../../design/states.tsx'

interface OnceProps {
  readonly title: string
  /** What to do with it. */
  readonly lead: ReactNode
  /** Null: nothing is shown. */
  readonly secret: string | null
  readonly onClose: () => void
  readonly children?: ReactNode
}

/** A secret that the server tells once. It closes only by its button, and is forgotten then. */
export function Once({ title, lead, secret, onClose, children }: OnceProps): ReactNode {
  return (
    <Dialog
      open={secret !== null}
      onClose={onClose}
      title={title}
      lead={lead}
      stays
      footer={
        <Button look="primary" onClick={onClose}>
          I have stored it
        </Button>
      }
    >
      <CopyBox text={secret ?? ''} label="the secret" />
      <Note tone="warn">
        <p>It is shown this once. Evergrant keeps no copy that could be read.</p>
      </Note>
      {children}
    </Dialog>
  )
}
