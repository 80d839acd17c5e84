import { LoaderCircle } from 'lucide-react'
import type { ButtonHTMLAttributes, ReactNode } from 'react'
import styles from './button.module.css'
import { classes } from './class-names.ts'

interface ButtonLook {
  readonly look?: 'plain' | 'primary' | 'danger' | 'quiet' | undefined
  readonly small?: boolean | undefined
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, ButtonLook {
  readonly icon?: ReactNode
  /** Something is under way: it cannot be pressed again, and says so. */
  readonly busy?: boolean
}

/** The class names of a button, for a link that looks like one. */
export function buttonClass({ look = 'plain', small = false }: ButtonLook = {}, more?: string): string {
  return classes(styles['button'], look !== 'plain' && styles[look], small && styles['small'], more)
}

/** A button with words. `type` is `button` unless it is said otherwise. */
export function Button({ look, small, icon, busy = false, className, children, type = 'button', disabled, ...rest }: ButtonProps): ReactNode {
  return (
    <button
      {...rest}
      type={type}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      className={buttonClass({ look, small }, classes(className, busy && styles['busy']))}
    >
      {busy ? <LoaderCircle size={14} aria-hidden /> : icon}
      {children}
    </button>
  )
}

/** A button that shows only an icon; `label` is what it is called, and its tooltip. */
export function IconButton({
  label,
  look = 'quiet',
  small,
  className,
  children,
  type = 'button',
  ...rest
}: ButtonProps & { readonly label: string }): ReactNode {
  return (
    <button {...rest} type={type} aria-label={label} title={label} className={buttonClass({ look, small }, classes(styles['icon'], className))}>
      {children}
    </button>
  )
}
