import { X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { IconButton } from './button.tsx'
import { classes } from './class-names.ts'
import styles from './dialog.module.css'
import { useFocusGivenBack } from './focus-given-back.ts'
import { ToastsOverDialog } from './toasts.tsx'

interface DialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  readonly lead?: ReactNode
  /** Buttons at the foot, the one that does it last. */
  readonly footer?: ReactNode
  readonly size?: 'small' | 'medium' | 'wide' | 'side'
  /** Only a button of its foot closes it: what it shows is shown once. */
  readonly stays?: boolean
  readonly children?: ReactNode
}

/**
 * A modal dialog on the browser's own `<dialog>`: it holds the focus, closes with Esc, and makes the rest inert. Libraries that lock the scrolling write
 * `<style>` tags, which the content policy refuses.
 */
export function Dialog({ open, ...rest }: DialogProps): ReactNode {
  return open ? <OpenDialog {...rest} /> : null
}

function OpenDialog({ onClose, title, lead, footer, size = 'medium', stays = false, children }: Omit<DialogProps, 'open'>): ReactNode {
  const ref = useRef<HTMLDialogElement>(null)
  const beganOutside = useRef(false)
  const id = useId()
  useFocusGivenBack()
  useEffect(() => ref.current?.showModal(), [])
  return (
    // A press on the backdrop lands on the dialog itself; Esc does the same for the keyboard.
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it
    <dialog
      ref={ref}
      aria-labelledby={id}
      className={classes(styles['dialog'], styles[size])}
      {...(stays ? { closedby: 'none' as const } : {})}
      onCancel={(event) => {
        if (stays) event.preventDefault()
      }}
      // Browsers that do not know `closedby` give in to a second Esc.
      onClose={() => (stays ? ref.current?.showModal() : onClose())}
      // Whoever marks a text and lets go outside has pressed inside: nothing that they typed is lost for that.
      onPointerDown={(event) => {
        beganOutside.current = event.target === ref.current
      }}
      onClick={(event) => {
        if (!stays && beganOutside.current && event.target === ref.current) onClose()
      }}
    >
      <div className={styles['frame']}>
        <header className={styles['head']}>
          <h2 id={id}>{title}</h2>
          {stays ? null : (
            <IconButton label="Close" onClick={onClose}>
              <X size={16} aria-hidden />
            </IconButton>
          )}
        </header>
        <div className={styles['body']}>
          {lead === undefined ? null : <p className={styles['lead']}>{lead}</p>}
          {children}
        </div>
        {footer === undefined ? null : <footer className={styles['foot']}>{footer}</footer>}
      </div>
      <ToastsOverDialog />
    </dialog>
  )
}
