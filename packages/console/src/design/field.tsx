import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId } from 'react'
import styles from './field.module.css'

interface FieldProps {
  readonly label: string
  readonly hint?: ReactNode
  readonly error?: string | null | undefined
  /** The label is for screen readers alone: the place says it. */
  readonly quiet?: boolean
}

function Frame({ id, label, hint, error, quiet = false, children }: FieldProps & { readonly id: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className={styles['field']}>
      <label htmlFor={id} className={quiet ? 'unseen' : undefined}>
        {label}
      </label>
      {children}
      {hint === undefined ? null : (
        <p id={`${id}-hint`} className={styles['hint']}>
          {hint}
        </p>
      )}
      {error ? (
        <p id={`${id}-error`} className={styles['error']}>
          {error}
        </p>
      ) : null}
    </div>
  )
}

const describedBy = (id: string, { hint, error }: FieldProps): string | undefined =>
  [hint === undefined ? '' : `${id}-hint`, error ? `${id}-error` : ''].join(' ').trim() || undefined

type TextFieldProps = FieldProps &
  Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'value'> & {
    readonly value: string
    readonly onChange: (value: string) => void
    readonly multiline?: boolean
  }

/** One line of text; `multiline` for more. */
export function TextField({ label, hint, error, quiet, value, onChange, multiline = false, ...rest }: TextFieldProps): ReactNode {
  const id = useId()
  const facts = { label, hint, error, ...(quiet === undefined ? {} : { quiet }) }
  const more = { id, value, 'aria-invalid': error ? true : undefined, 'aria-describedby': describedBy(id, facts), className: styles['control'] }
  return (
    <Frame id={id} {...facts}>
      {multiline ? (
        <textarea {...more} rows={4} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input {...rest} {...more} onChange={(event) => onChange(event.target.value)} />
      )}
    </Frame>
  )
}

interface Choice {
  readonly value: string
  readonly text: string
}

type SelectProps = FieldProps &
  Omit<SelectHTMLAttributes<HTMLSelectElement>, 'onChange' | 'value'> & {
    readonly value: string
    readonly onChange: (value: string) => void
    readonly choices: readonly Choice[]
  }

/** One of a few. The browser's own control: it works with every keyboard, reader and phone. */
export function SelectField({ label, hint, error, quiet, value, onChange, choices, ...rest }: SelectProps): ReactNode {
  const id = useId()
  const facts = { label, hint, error, ...(quiet === undefined ? {} : { quiet }) }
  // A browser shows the first choice in place of a value that it does not find, which would be a lie.
  const offered = choices.some((choice) => choice.value === value) ? choices : [...choices, { value, text: value }]
  return (
    <Frame id={id} {...facts}>
      <select
        {...rest}
        id={id}
        value={value}
        aria-describedby={describedBy(id, facts)}
        className={styles['control']}
        onChange={(event) => onChange(event.target.value)}
      >
        {offered.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.text}
          </option>
        ))}
      </select>
    </Frame>
  )
}

interface CheckProps {
  readonly label: ReactNode
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
  readonly hint?: string
  readonly disabled?: boolean
  /** Looks like a switch: it takes effect at once. */
  readonly asSwitch?: boolean
}

export function CheckField({ label, checked, onChange, hint, disabled = false, asSwitch = false }: CheckProps): ReactNode {
  const id = useId()
  return (
    <div className={styles['check']}>
      <input
        id={id}
        type="checkbox"
        role={asSwitch ? 'switch' : undefined}
        className={asSwitch ? styles['switch'] : styles['box']}
        checked={checked}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.checked)}
      />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint === undefined ? null : (
          <p id={`${id}-hint`} className={styles['hint']}>
            {hint}
          </p>
        )}
      </div>
    </div>
  )
}

/** A few choices of which one holds, side by side: time ranges, kinds of view. */
export function Segments({
  label,
  value,
  choices,
  onChange,
}: {
  readonly label: string
  readonly value: string
  readonly choices: readonly Choice[]
  readonly onChange: (value: string) => void
}): ReactNode {
  const name = useId()
  return (
    <fieldset className={styles['segments']}>
      <legend className="unseen">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input type="radio" name={name} value={choice.value} checked={choice.value === value} onChange={() => onChange(choice.value)} />
          <span>{choice.text}</span>
        </label>
      ))}
    </fieldset>
  )
}
