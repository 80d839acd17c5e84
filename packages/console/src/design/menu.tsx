import { Check } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react'
import { classes } from './class-names.ts'
import styles from './menu.module.css'

export type MenuItem =
  | {
      readonly text: string
      readonly onSelect: () => void
      readonly icon?: ReactNode
      readonly danger?: boolean
      readonly disabled?: boolean
      /** Set: it is one of several that hold or do not. */
      readonly checked?: boolean
      /** Beside the text, quiet: a key, a count. */
      readonly hint?: string
    }
  | { readonly heading: string }

interface MenuProps {
  /** Gets what makes its button open the menu. */
  readonly button: (props: {
    readonly ref: (element: HTMLElement | null) => void
    readonly onClick: () => void
    readonly 'aria-haspopup': 'menu'
    readonly 'aria-expanded': boolean
    readonly 'aria-controls': string | undefined
  }) => ReactNode
  readonly items: readonly MenuItem[]
  readonly label: string
  readonly align?: 'start' | 'end'
}

/** A menu below its button: arrows, Home, End, first letters, Esc; closes when the focus leaves (WAI-ARIA menu button). */
export function Menu({ button, items, label, align = 'start' }: MenuProps): ReactNode {
  const [open, setOpen] = useState(false)
  const [side, setSide] = useState(align)
  const trigger = useRef<HTMLElement | null>(null)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  // On a narrow screen the button may stand at the other edge than the menu was made for.
  useLayoutEffect(() => {
    const place = open ? list.current?.getBoundingClientRect() : undefined
    if (place === undefined) return
    if (place.left < 0) setSide('start')
    else if (place.right > document.documentElement.clientWidth) setSide('end')
  }, [open])
  useEffect(() => {
    if (open) focusable(list.current)[0]?.focus()
  }, [open])
  const close = (): void => {
    setOpen(false)
    trigger.current?.focus()
  }
  return (
    // The whole closes when the focus goes elsewhere; the keys are those of the menu inside.
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears that the focus left
    <div
      className={styles['anchor']}
      onBlur={(event) => {
        if (open && !event.currentTarget.contains(event.relatedTarget)) setOpen(false)
      }}
    >
      {button({
        ref: (element) => {
          trigger.current = element
        },
        onClick: () => {
          setSide(align)
          setOpen(!open)
        },
        'aria-haspopup': 'menu',
        'aria-expanded': open,
        'aria-controls': open ? id : undefined,
      })}
      {open ? (
        <div
          ref={list}
          id={id}
          role="menu"
          tabIndex={-1}
          aria-label={label}
          className={classes(styles['menu'], side === 'end' && styles['end'])}
          onKeyDown={(event) => steer(event, list.current, close)}
        >
          {items.map((item) => ('heading' in item ? <Heading key={item.heading} text={item.heading} /> : <Item key={item.text} item={item} done={close} />))}
        </div>
      ) : null}
    </div>
  )
}

function Heading({ text }: { readonly text: string }): ReactNode {
  return (
    <div className={styles['heading']} role="presentation">
      {text}
    </div>
  )
}

function Item({ item, done }: { readonly item: Exclude<MenuItem, { readonly heading: string }>; readonly done: () => void }): ReactNode {
  const { text, onSelect, icon, danger = false, disabled = false, checked, hint } = item
  return (
    <button
      type="button"
      role={checked === undefined ? 'menuitem' : 'menuitemcheckbox'}
      {...(checked === undefined ? {} : { 'aria-checked': checked })}
      aria-disabled={disabled || undefined}
      tabIndex={-1}
      className={classes(styles['item'], danger && styles['danger'])}
      onClick={() => {
        if (disabled) return
        if (checked === undefined) done()
        onSelect()
      }}
    >
      <span className={styles['mark']}>{checked === undefined ? icon : checked ? <Check size={14} aria-hidden /> : null}</span>
      <span>{text}</span>
      {hint === undefined ? null : <span className={styles['hint']}>{hint}</span>}
    </button>
  )
}

const focusable = (list: HTMLElement | null): HTMLElement[] => [...(list?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])]

function steer(event: KeyboardEvent, list: HTMLElement | null, close: () => void): void {
  const entries = focusable(list)
  const at = entries.indexOf(document.activeElement as HTMLElement)
  const to = targetOf(event.key, entries, at)
  if (event.key === 'Escape') close()
  else if (to === undefined) return
  else to.focus()
  event.preventDefault()
  event.stopPropagation()
}

function targetOf(key: string, entries: readonly HTMLElement[], at: number): HTMLElement | undefined {
  const { length } = entries
  if (key === 'ArrowDown') return entries[(at + 1) % length]
  if (key === 'ArrowUp') return entries[(at - 1 + length) % length]
  if (key === 'Home') return entries[0]
  if (key === 'End') return entries[length - 1]
  if (key.length !== 1 || key === ' ') return undefined
  const order = [...entries.slice(at + 1), ...entries.slice(0, at + 1)]
  return order.find((entry) => entry.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()))
}
