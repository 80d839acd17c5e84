import { X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { IconButton } from './button.tsx'
import { classes } from './class-names.ts'
import styles from './dialog.module.css'

interface DialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  readonly lead?: ReactNode
  /** Buttons at the foot, the one that does it last. */
  readonly footer?: ReactNode
  readonly size?: 'small' | 'medium' | 'wide' | 'side'
  readonly children?: ReactNode
}

/**
 * A modal dialog on the browser's own `<dialog>`: it holds the focus, closes with Esc, and makes the rest inert. Libraries that lock the scrolling write
 * `<style>` tags, which the content policy refuses.
 */
export function Dialog({ open, onClose, title, lead, footer, size = 'medium', children }: DialogProps): ReactNode {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const dialog = ref.current
    if (dialog === null) return
    if (open && !dialog.open) dialog.showModal()
    if (!open && dialog.open) dialog.close()
  }, [open])
  if (!open) return null
  return (
    // A press on the backdrop lands on the dialog itself; Esc does the same for the keyboard.
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it
    <dialog
      ref={ref}
      aria-labelledby={id}
      className={classes(styles['dialog'], styles[size])}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === ref.current) onClose()
      }}
    >
      <div className={styles['frame']}>
        <header className={styles['head']}>
          <h2 id={id}>{title}</h2>
          <IconButton label="Close" onClick={onClose}>
            <X size={16} aria-hidden />
          </IconButton>
        </header>
        <div className={styles['body']}>
          {lead === undefined ? null : <p className={styles['lead']}>{lead}</p>}
          {children}
        </div>
        {footer === undefined ? null : <footer className={styles['foot']}>{footer}</footer>}
      </div>
    </dialog>
  )
}
